/**
 * `npm run test:faults`: a farm of many machines under load, and every fault that this machine can make (docs/faults.md).
 * `npm run test:faults` runs the short selection, `npm run test:faults all` everything and writes the table of docs/faults.md,
 * `npm run test:faults TEXT…` the faults whose name has one of the texts.
 *
 * Everything runs in namespaces of its own (network, mounts, processes), which the kernel takes away with the last process.
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { installTestPackages } from "./test-packages.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const NAMESPACES = ["--net", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child", "--mount-proc"];
/** Hosts' names and everything the farm keeps lie in memory, seen by these processes only. */
const MOUNTS = "mkdir -p /run/netns && mount -t tmpfs none /run/netns && mount -t tmpfs -o mode=0755 none /mnt";

const SUDO = process.getuid?.() === 0 ? [] : ["sudo", "-n", "-E"];

/** Whether this machine lets its user make namespaces: many containers do not. */
export function canTestFaults() {
  const [command, ...args] = [...SUDO, "unshare", ...NAMESPACES, "sh", "-c", `${MOUNTS} && ip link add try type bridge && nft list tables`];
  return spawnSync(command, args, { stdio: "ignore" }).status === 0;
}

/** Runs the suite. @returns its exit code */
export function testFaults(selection) {
  const vitest = [process.execPath, `${root}node_modules/vitest/vitest.mjs`, "run", "--config", `${root}test/faults/vitest.config.ts`];
  const [command, ...args] = [...SUDO, "unshare", ...NAMESPACES, "sh", "-c", `${MOUNTS} && exec "$@"`, "sh", ...vitest];
  const env = { ...process.env, CERTFARM_FAULTS_SEALED: "1", FAULTS: selection };
  return spawnSync(command, args, { cwd: root, stdio: "inherit", env }).status ?? 1;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  installTestPackages();
  const dist = process.env["CERTFARM_TEST_DIST"] ?? "dist";
  if (!existsSync(`${root}${dist}/bin/main.js`)) spawnSync(process.execPath, [`${root}scripts/build.mjs`], { cwd: root, stdio: "inherit" });
  if (!canTestFaults()) {
    console.error("The faults suite needs root (or sudo) and a machine on which namespaces, bridges and nftables can be made.");
    process.exit(2);
  }
  process.exit(testFaults(process.argv.slice(2).join(";") || process.env["FAULTS"] || "short"));
}
