import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import type { Rule } from "./rule.ts";
import { RULES } from "./rules/index.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const run = promisify(execFile);

describe("npm run new:rule, in a copy", () => {
  let folder = "";
  const script = (...args: readonly string[]) => run(process.execPath, [join(folder, "scripts/new-rule.mjs"), ...args]);
  const read = (path: string) => readFile(join(folder, "src/doctor/rules", path), "utf8");

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "new-rule-"));
    await mkdir(join(folder, "scripts"));
    await cp(join(ROOT, "scripts/new-rule.mjs"), join(folder, "scripts/new-rule.mjs"));
    for (const room of ["base", "bindings", "doctor", "handshake", "pki"])
      await cp(join(ROOT, "src", room), join(folder, "src", room), { recursive: true });
  });
  afterEach(async () => {
    await rm(folder, { recursive: true });
  });

  test("makes a rule with its test, and registers it in the order of codes", async () => {
    const { stdout } = await script("key-too-short");
    expect(stdout).toContain("src/doctor/rules/key-too-short.ts");
    const index = await read("index.ts");
    const imported = [...index.matchAll(/from "\.\/([\w-]+)\.ts"/g)].map((match) => match[1]);
    expect(imported).toEqual([...RULES.map(({ code }) => code), "key-too-short"].toSorted((a, b) => (a < b ? -1 : 1)));
    expect(index.match(/^ {2}\w+,$/gm)).toHaveLength(RULES.length + 1);
    expect(await read("key-too-short.test.ts")).toContain('import { keyTooShort } from "./key-too-short.ts";');
    expect(await read("key-too-short.ts")).toContain("export const keyTooShort: Rule = {");
  });

  test("what it makes can be loaded, and passes over a farm until it is written", async () => {
    await script("key-too-short");
    const path = pathToFileURL(join(folder, "src/doctor/rules/key-too-short.ts")).href;
    const { keyTooShort } = (await import(/* @vite-ignore */ path)) as { keyTooShort: Rule }; // what the template exports
    expect(keyTooShort.code).toBe("key-too-short");
  });

  test.each([
    ["a name in another case", "KeyTooShort"],
    ["a single word", "key"],
    ["a path", "../key-too-short"],
    ["a rule that is there", "central-row-missing"],
    ["no name", ""],
  ])("refuses %s and writes nothing", async (_name, code) => {
    const before = await read("index.ts");
    await expect(script(code)).rejects.toMatchObject({ code: 2 });
    expect(await read("index.ts")).toBe(before);
  });
});
