import { mkdtemp, mkdir, readdir, writeFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { cruise, type IConfiguration, type ICruiseOptions } from "dependency-cruiser";
import { describe, expect, test } from "vitest";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

async function rules(): Promise<IConfiguration> {
  const loaded = (await import(join(ROOT, ".dependency-cruiser.mjs"))) as { default: IConfiguration }; // our own file
  return loaded.default;
}

async function violations(folder: string): Promise<{ readonly looked: number; readonly broken: readonly string[] }> {
  const { forbidden = [], options = {} } = await rules();
  const settings: ICruiseOptions = { ...options, baseDir: folder, ruleSet: { forbidden }, validate: true };
  const { output } = await cruise(["src"], settings);
  if (typeof output === "string") throw new Error("the checker answered with text");
  return { looked: output.summary.totalCruised, broken: output.summary.violations.map((violation) => violation.rule.name) };
}

describe("the layers of src/", () => {
  test("every room on the disk has its place in layers.mjs", async () => {
    const { LAYERS } = (await import(join(ROOT, "layers.mjs"))) as { LAYERS: readonly (readonly string[])[] }; // our own file
    const folders = (await readdir(join(ROOT, "src"), { withFileTypes: true })).filter((entry) => entry.isDirectory());
    expect(folders.map((folder) => folder.name).sort()).toEqual(LAYERS.flat().sort());
  });

  test("no module breaks a rule, and the checker looked at all of them", async () => {
    const { looked, broken } = await violations(ROOT);
    expect(broken).toEqual([]);
    expect(looked).toBeGreaterThan(200);
  }, 120_000);

  test.each([
    ["an import of a higher room", "layer-base", "base/a.ts", `import "../node/index.ts";`],
    ["an import of a room on the same line", "layer-web", "web/a.ts", `import "../replica/index.ts";`],
    ["an import past a room's door", "one-door", "node/a.ts", `import "../base/clock.ts";`],
    ["files in a pure room", "pure", "handshake/a.ts", `import "node:fs";`],
    ["a command that goes past the admin API", "clients", "cli/a.ts", `import "../store/index.ts";`],
  ])("%s is caught", async (_what, rule, file, text) => {
    const folder = await mkdtemp(join(tmpdir(), "layers-"));
    try {
      for (const room of ["base", "web", "node", "handshake", "cli", "store", "replica"]) {
        await mkdir(join(folder, "src", room), { recursive: true });
        await writeFile(join(folder, "src", room, "index.ts"), "export const here = 1;\n");
      }
      await writeFile(join(folder, "src", "base", "clock.ts"), "export const clock = 1;\n");
      await writeFile(join(folder, "tsconfig.json"), "{}");
      await writeFile(join(folder, "src", file), `${text}\n`);
      expect((await violations(folder)).broken).toContain(rule);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  test("a cycle is caught", async () => {
    const folder = await mkdtemp(join(tmpdir(), "layers-"));
    try {
      await mkdir(join(folder, "src", "base"), { recursive: true });
      await writeFile(join(folder, "tsconfig.json"), "{}");
      await writeFile(join(folder, "src", "base", "a.ts"), `import "./b.ts";\n`);
      await writeFile(join(folder, "src", "base", "b.ts"), `import "./a.ts";\n`);
      expect((await violations(folder)).broken).toContain("no-cycles");
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
