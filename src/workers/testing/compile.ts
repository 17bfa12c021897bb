import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));

/** A compiled file: its path, the same as a URL, and the end of it. */
export interface Compiled {
  readonly script: string;
  readonly entry: URL;
  remove(): Promise<void>;
}

/** Compiles one file of src/ and what it imports as they are now, for tests that need a process or a thread of its own: Node 20 runs no
 * TypeScript, and dist/ may be older or being built. The output lies inside the checkout, so that packages are found. */
export async function compile(source: string): Promise<Compiled> {
  await mkdir(join(ROOT, ".cache"), { recursive: true });
  const folder = await mkdtemp(join(ROOT, ".cache", "compiled-"));
  const compilerOptions = { noEmit: false, noCheck: true, rootDir: join(ROOT, "src"), outDir: folder };
  // Without a list of its own the project's would be taken over.
  const config = { extends: join(ROOT, "tsconfig.json"), compilerOptions, include: [], files: [join(ROOT, "src", source)] };
  await writeFile(join(folder, "tsconfig.json"), JSON.stringify(config));
  await promisify(execFile)(process.execPath, [join(ROOT, "node_modules/typescript/bin/tsc"), "-p", folder]);
  const script = join(folder, source.replace(/\.ts$/, ".js"));
  return { script, entry: pathToFileURL(script), remove: () => rm(folder, { recursive: true, force: true }) };
}
