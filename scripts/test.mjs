/** `npm test`: brings what the tests need, builds, then runs unit, conformance and end-to-end tests. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

import { installTestPackages } from "./test-packages.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const run = (command, args) => {
  const { status } = spawnSync(command, args, { cwd: root, stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
};

installTestPackages();
run(process.execPath, [`${root}scripts/build.mjs`]);
run(`${root}node_modules/.bin/vitest`, ["run", ...process.argv.slice(2)]);
