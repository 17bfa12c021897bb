import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));

/** Compiles one file of src/ and what it imports, for tests that need a process of its own. The output lies inside the checkout, so that packages are found. */
export async function compile(source: string): Promise<{ readonly script: string; remove(): Promise<void> }> {
  await mkdir(join(ROOT, ".cache"), { recursive: true });
  const folder = await mkdtemp(join(ROOT, ".cache", "compiled-"));
  const compilerOptions = { noEmit: false, noCheck: true, rootDir: join(ROOT, "src"), outDir: folder };
  // Without a list of its own the project's would be taken over.
  const config = { extends: join(ROOT, "tsconfig.json"), compilerOptions, include: [], files: [join(ROOT, "src", source)] };
  await writeFile(join(folder, "tsconfig.json"), JSON.stringify(config));
  await promisify(execFile)(process.execPath, [join(ROOT, "node_modules/typescript/bin/tsc"), "-p", folder]);
  return { script: join(folder, source.replace(/\.ts$/, ".js")), remove: () => rm(folder, { recursive: true, force: true }) };
}
