/** Compiles src/ to dist/, bundles the command into dist/bin/ and makes the command executable. */
import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const tsc = `${root}node_modules/typescript/bin/tsc`;
if (!existsSync(tsc)) {
  console.error("certfarm: TypeScript is not installed (production install?); keeping dist/ as it is");
  process.exit(existsSync(`${root}dist`) ? 0 : 1);
}
rmSync(`${root}dist`, { recursive: true, force: true });
execFileSync(process.execPath, [tsc, "-p", "tsconfig.build.json"], { cwd: root, stdio: "inherit" });
const { bundle } = await import("./bundle.mjs");
await bundle(`${root}dist`);
chmodSync(`${root}dist/bin/main.js`, 0o755);
