import { mkdir, readdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import { transformFile } from "@swc/core";

const SOURCE = fileURLToPath(new URL("../..", import.meta.url));

const OPTIONS = {
  swcrc: false,
  configFile: false,
  sourceMaps: false,
  module: { type: "es6" },
  jsc: { parser: { syntax: "typescript" }, target: "es2022", rewriteRelativeImportExtensions: true },
} as const;

/**
 * Makes the rooms `base` and `store` loadable by plain Node in a directory, so that tests can run real processes over one store.
 * Resolves to the program that those processes run (child.ts).
 */
export async function compileChild(target: string): Promise<string> {
  for (const room of ["base", "store"]) {
    const files = await readdir(join(SOURCE, room), { recursive: true });
    const wanted = files.filter((file) => file.endsWith(".ts") && !/\.test\.ts$|conformance\.ts$|^conformance\/|compile\.ts$/.test(file));
    await Promise.all(wanted.map((file) => compileFile(join(room, file), target)));
  }
  await writeFile(join(target, "package.json"), `{ "type": "module" }\n`);
  return join(target, "store", "testing", "child.js");
}

async function compileFile(file: string, target: string): Promise<void> {
  const { code } = await transformFile(join(SOURCE, file), OPTIONS);
  const output = join(target, file.replace(/\.ts$/, ".js"));
  await mkdir(dirname(output), { recursive: true });
  await writeFile(output, code);
}
