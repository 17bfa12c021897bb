import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

import { afterAll, describe, expect, test } from "vitest";

import { compiledEntry, runOnce } from "./run-once.ts";

const folder = mkdtempSync(join(tmpdir(), "workers-"));
afterAll(() => rmSync(folder, { recursive: true }));

const worker = (name: string, text: string): URL => {
  writeFileSync(join(folder, `${name}.mjs`), `import { parentPort, workerData } from "node:worker_threads";\n${text}`);
  return pathToFileURL(join(folder, `${name}.mjs`));
};

describe("runOnce", () => {
  test("gives what the worker made of its input", async () => {
    const entry = worker("double", `parentPort.postMessage({ kind: "done", value: new Map([["twice", workerData * 2]]) });`);
    expect(await runOnce(entry, 21)).toEqual(new Map([["twice", 42]]));
  });

  test.each([
    [
      "a FarmError of the worker keeps its code",
      `parentPort.postMessage({ kind: "failed", code: "CONFIG_INVALID", message: "no", facts: {} });`,
      "CONFIG_INVALID",
    ],
    [
      "a code that nobody knows is an internal error",
      `parentPort.postMessage({ kind: "failed", code: "WHAT", message: "no", facts: {} });`,
      "INTERNAL",
    ],
    ["a worker that throws is an internal error", `throw new Error("broken");`, "INTERNAL"],
    ["a worker that ends without a word is an internal error", `process.exit(3);`, "INTERNAL"],
  ])("%s", async (_what, text, code) => {
    await expect(runOnce(worker("failing", text), undefined)).rejects.toMatchObject({ code });
  });

  test("the worker does not see the environment, where passwords may be", async () => {
    process.env["CERTFARM_PFX_PASSWORD"] = "not for workers";
    try {
      const entry = worker("environment", `parentPort.postMessage({ kind: "done", value: Object.keys(process.env) });`);
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
