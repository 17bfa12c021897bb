import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { afterAll, beforeAll, expect, it } from "vitest";

import { freePorts } from "./farm/free-ports.ts";
import { MAIN } from "./farm/processes.ts";
import { run } from "./farm/run.ts";
import { until } from "./farm/until.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const README = await readFile(join(ROOT, "README.md"), "utf8");

/** What the test reads of a node's report. */
interface Seen {
  readonly proof: { readonly pending: number };
  readonly content: readonly { readonly digest: string }[];
}

/** Commands that are not run again here: they install, start or test the checkout that this test runs in. */
const NOT_HERE = new Set(["npm ci && npm start", "npm ci && npm test"]);

/** The lines of every `sh` block, in order. */
const COMMANDS = [...README.matchAll(/^```sh\n([^]*?)^```/gm)]
  .flatMap(([, block = ""]) => block.split("\n"))
  .map((line) => line.trim())
  .filter((line) => line !== "" && !NOT_HERE.has(line));

let folder: string;
let base: number;
let farm: ChildProcess;
let output = "";

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "certfarm-readme-"));
  base = await freeBase();
  // What `npm start` runs, with a place and ports of its own.
  farm = spawn("npm", ["start", "--", "--port", String(base), "--demo-root", join(folder, "demo-farm")], { cwd: ROOT, detached: true });
  farm.stdout?.on("data", (chunk: Buffer) => (output += chunk.toString()));
  farm.stderr?.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const isGood = async (): Promise<boolean> => {
    const { code, stdout } = await run(process.execPath, [MAIN, "status", "--json"], { cwd: folder });
    const { nodes } = JSON.parse(stdout) as { nodes: readonly { report?: Seen }[] }; // FarmStatus
    const isComplete = (report?: Seen): boolean =>
      report?.proof.pending === 0 && report.content.length === 4 && report.content.every(({ digest }) => digest !== "");
    return code === 0 && nodes.length === 4 && nodes.every(({ report }) => isComplete(report));
  };
  await until(isGood, { what: "the demo farm's status is good", deadlineMs: 90_000, everyMs: 500 }).catch((error: unknown) => {
    throw new Error(`${String(error)}\n${output}`, { cause: error });
  });
}, 120_000);

afterAll(async () => {
  if (farm?.pid !== undefined && farm.exitCode === null) {
    const ended = once(farm, "exit", { signal: AbortSignal.timeout(30_000) });
    process.kill(-farm.pid, "SIGINT"); // what Ctrl-C sends: to the whole group
    await ended;
    const group = farm.pid;
    await until(async () => isGone(group), { what: "no process of the demo farm is left" });
  }
  await rm(folder, { recursive: true, force: true });
});

function isGone(group: number): boolean {
  try {
    process.kill(-group, 0);
    return false;
  } catch {
    return true;
  }
}

/** A base whose derived ports (base+80, +90, +443, +499, each of five thousands) are free. */
async function freeBase(): Promise<number> {
  const [port = 0] = await freePorts(1);
  return port - (port % 1_000) - (port > 25_000 ? 6_000 : 0) + 100;
}

it("the README is not longer than 120 lines and has commands to run", () => {
  expect(README.trimEnd().split("\n").length).toBeLessThanOrEqual(120);
  expect(COMMANDS.length).toBeGreaterThan(8);
});

it.each(COMMANDS)("%s", async (line) => {
  const command = line.replaceAll(/\b8443\b/g, String(base + 443));
  const shell = `npx() { test "$1" = certfarm && shift && "${process.execPath}" "${MAIN}" "$@"; }\n${command}`;
  const { code, stdout, stderr } = await run("sh", ["-c", shell], { cwd: folder, timeoutMs: 60_000 });
  expect(code, `${stdout}${stderr}`).toBe(0);
  expect(stdout + stderr).not.toBe("");
});

it("the page of the demo farm says which node answered, through the balancer and each node", async () => {
  for (const offset of [443, 1_443, 2_443, 3_443, 4_443]) {
    const url = `https://www.shop.localhost:${base + offset}/`;
    const { code, stdout } = await run("curl", ["-sSi", "--cacert", join(folder, "demo-farm/demo-ca.pem"), url]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^x-served-by: web[1-4]\r$/im);
  }
});
