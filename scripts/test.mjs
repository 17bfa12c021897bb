/** `npm test`: brings what the tests need, builds, then runs unit, conformance and end-to-end tests, and a selection of faults. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

import { canTestFaults, testFaults } from "./test-faults.mjs";
import { installTestPackages } from "./test-packages.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const run = (command, args) => {
  const { status } = spawnSync(command, args, { cwd: root, stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
};

installTestPackages();
run(process.execPath, [`${root}scripts/build.mjs`]);
run(`${root}node_modules/.bin/vitest`, ["run", ...process.argv.slice(2)]);
// Whoever named some tests wants only those.
if (process.argv.length === 2) {
  if (canTestFaults()) process.exitCode = testFaults("short");
  else console.warn("The faults suite was left out: this machine does not let its user make network namespaces (docs/faults.md).");
}
