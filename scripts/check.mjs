/** Everything that can be told without running a farm: types, lint, format, dead code, layers, unit tests. Stops at the first that fails. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

const STEPS = [
  { name: "types", command: "tsc", args: ["-p", "."] },
  { name: "lint", command: "oxlint", args: ["--type-aware", "--deny-warnings"] },
  { name: "format", command: "oxfmt", args: ["--check", "src", "test", "scripts", "bench"] },
  { name: "dead code", command: "knip", args: [] },
  { name: "layers", command: "depcruise", args: ["--config", ".dependency-cruiser.mjs", "src"] },
  { name: "package", command: "publint", args: [] },
  { name: "unit tests", command: "vitest", args: ["run", "--project", "unit"] },
];

const only = process.argv.slice(2);
for (const { name, command, args } of STEPS) {
  if (only.length > 0 && !only.includes(name)) continue;
  console.log(`\n== ${name}`);
  const { status } = spawnSync(`${root}node_modules/.bin/${command}`, args, { cwd: root, stdio: "inherit" });
  if (status !== 0) {
    console.error(`\n${name} failed`);
    process.exit(1);
  }
}
console.log("\nall checks passed");
