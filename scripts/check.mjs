/** Everything that can be told without running a farm: types, lint, format, dead code, layers, unit tests. Stops at the first that fails. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const bin = (name) => `${root}node_modules/.bin/${name}`;

const STEPS = [
  ["types", bin("tsc"), ["-p", "."]],
  ["lint", bin("oxlint"), ["--type-aware", "--deny-warnings"]],
  ["format", bin("oxfmt"), ["--check", "src", "test", "scripts", "bench"]],
  ["dead code", bin("knip"), []],
  ["layers", bin("depcruise"), ["--config", ".dependency-cruiser.mjs", "src"]],
  ["package", bin("publint"), []],
  ["unit tests", bin("vitest"), ["run", "--project", "unit"]],
];

const only = process.argv.slice(2);
for (const [name, command, args] of STEPS) {
  if (only.length > 0 && !only.includes(name)) continue;
  console.log(`\n== ${name}`);
  const { status } = spawnSync(command, args, { cwd: root, stdio: "inherit" });
  if (status !== 0) {
    console.error(`\n${name} failed`);
    process.exit(1);
  }
}
console.log("\nall checks passed");
