import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { chromium, type BrowserContext } from "playwright-core";

import { run } from "../run.ts";

/** What a user sees of a page. */
export interface BrowserAnswer {
  readonly status: number | undefined;
  readonly title: string;
  /** The text of the page's `#node` once it is filled in. */
  readonly node: string;
  readonly protocol: string | undefined;
  readonly issuer: string | undefined;
}

/** A headless Chromium with a profile of its own. */
export interface Browser {
  open(url: string): Promise<BrowserAnswer>;
  /** What Chromium says when a page cannot be opened, e.g. `net::ERR_SSL_UNRECOGNIZED_NAME_ALERT`. */
  failure(url: string): Promise<string>;
  close(): Promise<void>;
}

const FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-dev-shm-usage",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--host-resolver-rules=MAP * 127.0.0.1",
];

/** Starts Debian's Chromium; it verifies as always, and trusts the given authority because its user added it. */
export async function startBrowser(caFile: string): Promise<Browser> {
  const home = await mkdtemp(join(tmpdir(), "certfarm-browser-"));
  const database = join(home, ".pki/nssdb");
  await mkdir(database, { recursive: true });
  const nss = ["-d", `sql:${database}`];
  for (const args of [
    [...nss, "-N", "--empty-password"],
    [...nss, "-A", "-t", "C,,", "-n", "certfarm test CA", "-i", caFile],
  ]) {
    const { code, stderr } = await run("certutil", args);
    if (code !== 0) throw new Error(`certutil ended with ${code}: ${stderr}`);
  }
  const context = await chromium.launchPersistentContext(join(home, "profile"), {
    executablePath: "/usr/bin/chromium",
    args: FLAGS,
    env: { ...process.env, HOME: home },
    timeout: 60_000,
  });
  return {
    open: (url) => open(context, url),
    async failure(url) {
      const page = await context.newPage();
      try {
        return await page.goto(url, { timeout: 30_000 }).then(
          () => "opened",
          (error: unknown) => String(error),
        );
      } finally {
        await page.close();
      }
    },
    async close() {
      await context.close();
      await rm(home, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
    },
  };
}

async function open(context: BrowserContext, url: string): Promise<BrowserAnswer> {
  const page = context.pages()[0] ?? (await context.newPage());
  const response = await page.goto(url, { timeout: 30_000 });
  const filled = page.locator("#node", { hasText: /^(?!…$)./ });
  await filled.waitFor({ timeout: 10_000 });
  const details = await response?.securityDetails();
  return {
    status: response?.status(),
    title: (await page.locator("h1").textContent()) ?? "",
    node: (await filled.textContent()) ?? "",
    protocol: details?.protocol,
    issuer: details?.issuer,
  };
}
