import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";

import { systemCode, type Log } from "../base/index.ts";

const NOBODY_ELSE = 0o077;
const LIMIT_MS = 5_000;
const run = promisify(execFile);

/**
 * What every role does before it has secrets: files it makes are its own alone, no core dump will hold its memory, and SIGUSR1 does not open
 * Node's debugger to whoever shares its account. Node has no call for PR_SET_DUMPABLE: an account's own processes may still read each other.
 */
export async function guardProcess(log: Log): Promise<void> {
  process.umask(NOBODY_ELSE);
  process.on("SIGUSR1", ignore);
  await forbidCoreDumps(log);
}

/** Node cannot set limits itself; `prlimit` (util-linux) can, for any process of the same account. */
async function forbidCoreDumps(log: Log): Promise<void> {
  if (process.platform !== "linux") return;
  const limits = await readFile("/proc/self/limits", "utf8").catch(() => "");
  const [, soft] = /^Max core file size\s+(\S+)/m.exec(limits) ?? [];
  if (soft === "0") return;
  try {
    await run("prlimit", ["--pid", String(process.pid), "--core=0:0"], { timeout: LIMIT_MS });
  } catch (error) {
    log.warn("core dumps cannot be turned off: one would hold private keys", {
      problem: systemCode(error) ?? String(error),
      remedy: "LimitCORE=0 in the unit, or `ulimit -c 0` before the start",
    });
  }
}

function ignore(): void {
  // Node would start its inspector.
}
