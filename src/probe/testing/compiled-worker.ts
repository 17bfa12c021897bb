import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { fileURLToPath, pathToFileURL } from "node:url";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));

/**
 * Compiles the thread that dials as it is now, apart from dist/, which may be older or being built.
 * Node 20 runs no TypeScript, and a worker is not vitest's to transform.
 */
export function compileWorker(): { readonly entry: URL; remove(): void } {
  mkdirSync(`${ROOT}.cache`, { recursive: true });
  const out = mkdtempSync(`${ROOT}.cache/look-worker-`);
  const compiler = `${ROOT}node_modules/typescript/bin/tsc`;
  const options = "--noEmit false --ignoreConfig --noCheck --rootDir src --target es2023 --module nodenext --types node".split(" ");
  const inputs = ["--rewriteRelativeImportExtensions", "--skipLibCheck", "src/probe/look-worker.ts"];
  execFileSync(process.execPath, [compiler, "--outDir", out, ...options, ...inputs], { cwd: ROOT });
  return { entry: pathToFileURL(`${out}/probe/look-worker.js`), remove: () => rmSync(out, { recursive: true, force: true }) };
}
