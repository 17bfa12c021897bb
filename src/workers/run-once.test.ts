import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

import { afterAll, describe, expect, test } from "vitest";

import { compiledEntry, runOnce } from "./run-once.ts";

const folder = mkdtempSync(join(tmpdir(), "workers-"));
afterAll(() => rmSync(folder, { recursive: true }));

const worker = (name: string, text: string): URL => {
  writeFileSync(join(folder, `${name}.mjs`), text);
  return pathToFileURL(join(folder, `${name}.mjs`));
};

describe("runOnce", () => {
  test("gives what the worker made of its input", async () => {
    const entry = worker("double", `export const work = (input) => new Map([["twice", input * 2]]);`);
    expect(await runOnce(entry, 21)).toEqual(new Map([["twice", 42]]));
  });

  test.each([
    [
      "a FarmError of the worker keeps its code",
      `import { FarmError } from ${JSON.stringify(compiledEntry(import.meta.url, "../base/index").href)};
       export function work() { throw new FarmError("CONFIG_INVALID", "no"); }`,
      "CONFIG_INVALID",
    ],
    ["a worker that throws is an internal error", `throw new Error("broken");`, "INTERNAL"],
    ["work that throws is an internal error", `export function work() { throw new Error("broken"); }`, "INTERNAL"],
    ["a worker that ends without a word is an internal error", `process.exit(3);`, "INTERNAL"],
    [
      "a worker that fails beside its work is an internal error",
      `setTimeout(() => { throw new Error("late"); }); await new Promise(() => {});`,
      "INTERNAL",
    ],
  ])("%s", async (what, text, code) => {
    await expect(runOnce(worker(what.replaceAll(" ", "-"), text), undefined)).rejects.toMatchObject({ code });
  });

  test("work that comes soon enough has the same thread, with what it loaded; work at the same time has its own", async () => {
    const entry = worker("thread", `import { threadId } from "node:worker_threads";\nexport const work = () => threadId;`);
    const [first, beside] = await Promise.all([runOnce(entry, undefined, 10_000), runOnce(entry, undefined)]);
    expect(beside).not.toBe(first);
    expect(await runOnce(entry, undefined)).toBe(first);
    expect(await runOnce(entry, undefined)).not.toBe(first);
  });

  test("the worker does not see the environment, where passwords may be", async () => {
    process.env["CERTFARM_PFX_PASSWORD"] = "not for workers";
    try {
      const entry = worker("environment", `export const work = () => Object.keys(process.env);`);
      expect(await runOnce(entry, undefined)).toEqual([]);
    } finally {
      delete process.env["CERTFARM_PFX_PASSWORD"];
    }
  });
});

test.each([
  ["from sources, the compiled worker is used", "file:///farm/src/replica/read-config.ts", "file:///farm/dist/replica/config-worker.js"],
  ["in dist, the worker beside it", "file:///farm/dist/replica/read-config.js", "file:///farm/dist/replica/config-worker.js"],
])("%s", (_what, here, entry) => {
  expect(compiledEntry(here, "config-worker").href).toBe(entry);
});
