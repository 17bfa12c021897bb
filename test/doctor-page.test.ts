import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

import { chromium, type Browser, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { htmlReport } from "../src/cli/reports/html-report.ts";
import { junitReport } from "../src/cli/reports/junit.ts";
import type { DoctorReport } from "../src/cli/reports/types.ts";
import { hostileReport } from "../src/cli/testing/hostile-report.ts";
import { GOOD, brokenFarm, report, reset } from "../src/cli/testing/sample-report.ts";

const PHONE = { width: 375, height: 740 };
const DESK = { width: 1280, height: 900 };

/** 24 nodes, two of which differ, and names as long as DNS allows. */
const wideFarm = (): DoctorReport => {
  const label = "l".repeat(60);
  const cells = (...ill: readonly number[]) => Array.from({ length: 24 }, (_each, at) => (ill.includes(at) ? reset() : GOOD));
  return report({ [`a.${label}.${label}.${label}.example`]: cells(3), "b.example": cells(3, 9), "c.example": cells() });
};

const REPORTS: readonly [string, () => DoctorReport][] = [
  ["a broken farm", brokenFarm],
  ["a wide farm with long names", wideFarm],
  ["what is hostile", hostileReport],
  ["a healthy farm", () => report({ "a.example": [GOOD, GOOD] })],
  ["nothing", () => report({})],
];

let browser: Browser;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "certfarm-page-"));
  browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu"], timeout: 60_000 });
});
afterAll(async () => {
  await browser?.close();
  await rm(folder, { recursive: true, force: true });
});

interface Opened {
  readonly page: Page;
  /** Addresses asked for, and what the browser complained of. */
  readonly requests: readonly string[];
  readonly complaints: readonly string[];
}

async function open(given: DoctorReport, viewport: typeof PHONE, colorScheme: "light" | "dark" = "light"): Promise<Opened> {
  const file = join(folder, "report.html");
  await writeFile(file, htmlReport(given));
  const page = await browser.newPage({ viewport, colorScheme });
  const requests: string[] = [];
  const complaints: string[] = [];
  page.on("request", (request) => void requests.push(request.url()));
  page.on("console", (message) => void complaints.push(message.text()));
  page.on("pageerror", (error) => void complaints.push(error.message));
  page.on("dialog", (dialog) => {
    complaints.push(dialog.message());
    void dialog.dismiss();
  });
  await page.goto(pathToFileURL(file).href);
  return { page, requests, complaints };
}

describe.each(REPORTS)("the page of %s", (_name, make) => {
  it.each([
    ["a phone", PHONE],
    ["a desk", DESK],
  ])("fits on %s, loads nothing and runs nothing", async (_where, viewport) => {
    const { page, requests, complaints } = await open(make(), viewport);
    const width = await page.evaluate<number>("document.documentElement.scrollWidth");
    expect(width).toBeLessThanOrEqual(viewport.width);
    expect(requests).toEqual([pathToFileURL(join(folder, "report.html")).href]);
    expect(complaints).toEqual([]);
    expect(await page.locator("script, iframe, img, object, [onload], [onerror]").count()).toBe(0);
    await page.close();
  });
});

describe("the page of a broken farm", () => {
  it("names each node in its cell on a phone, where there are no columns", async () => {
    const { page } = await open(brokenFarm(), PHONE);
    expect(await page.locator("thead").isVisible()).toBe(false);
    const labels = await page.evaluate(
      "[...document.querySelectorAll('tbody tr:first-child td')].map((cell) => getComputedStyle(cell, '::before').content)",
    );
    expect(labels).toEqual(['"web1"', '"web2"', '"web3"', '"web4"']);
    await page.close();
  });

  it("leads from a cell to its finding, and unfolds the hosts that are well", async () => {
    const { page } = await open(brokenFarm(), DESK);
    await page.locator("td a", { hasText: "[3]" }).click();
    expect(await page.locator("article:target h3").innerText()).toBe(
      "[3] web4 serves CN=legacy.example.com for every name on 10.0.0.4:443",
    );
    await page.getByText("36 more hosts are served alike by all nodes").click();
    expect(await page.getByText("site35.example.net").isVisible()).toBe(true);
    await page.close();
  });

  it("is printed with its matrix as a table, in dark ink whatever the screen", async () => {
    const { page } = await open(brokenFarm(), PHONE, "dark");
    await page.emulateMedia({ media: "print", colorScheme: "dark" });
    await page.setViewportSize({ width: 794, height: 1_123 }); // A4
    expect(await page.locator("thead").isVisible()).toBe(true);
    expect(await page.evaluate<number>("document.querySelector('.matrix table').getBoundingClientRect().right")).toBeLessThanOrEqual(794);
    expect(await page.evaluate("getComputedStyle(document.body).color")).toBe("rgb(0, 0, 0)");
    await page.close();
  });

  it.each(["light", "dark"] as const)("has contrast enough for every text (%s)", async (scheme) => {
    const { page } = await open(brokenFarm(), DESK, scheme);
    const poor = await page.evaluate(`(() => {
      const parse = (text) => (text.match(/[\\d.]+/g) ?? []).map(Number);
      const shine = ([r, g, b]) => [r, g, b].map((v) => v / 255).map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)).reduce((sum, v, at) => sum + v * [0.2126, 0.7152, 0.0722][at], 0);
      const ground = (element) => { for (let at = element; at; at = at.parentElement) { const c = parse(getComputedStyle(at).backgroundColor); if (c.length < 4 || c[3] > 0) return c; } return [255, 255, 255]; };
      return [...document.querySelectorAll("body *")]
        .filter((element) => [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim() !== ""))
        .map((element) => { const [a, b] = [shine(parse(getComputedStyle(element).color)), shine(ground(element))]; return [(Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), element.outerHTML.slice(0, 80)]; })
        .filter(([ratio]) => ratio < 4.5);
    })()`);
    expect(poor).toEqual([]);
    await page.close();
  });
});

it("JUnit of what is hostile is well-formed for a browser too, and keeps every case", async () => {
  const page = await browser.newPage();
  const xml = junitReport(hostileReport());
  const seen = await page.evaluate(
    `(() => { const parsed = new DOMParser().parseFromString(${JSON.stringify(xml)}, "text/xml"); return [parsed.querySelectorAll("parsererror").length, parsed.querySelectorAll("testcase").length]; })()`,
  );
  expect(seen).toEqual([0, 6]);
  await page.close();
});
