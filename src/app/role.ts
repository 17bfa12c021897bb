import { createLog, systemClock, type Log, type LogLevel } from "../base/index.ts";

/** A long-running role: what it needs of its process. */
export interface Role {
  readonly log: Log;
  /** Tells the parent process, if there is one, that the role serves. */
  ready(): void;
  /** Resolves once the process is asked to end: SIGTERM, SIGINT, or a parent process that is gone. */
  readonly ended: Promise<string>;
}

const LEVELS: readonly LogLevel[] = ["debug", "info", "warn", "error"];

/** The role's log goes to standard error as JSON lines; CERTFARM_LOG sets the level. */
export function startRole(facts: Readonly<Record<string, string>>): Role {
  const level = LEVELS.find((one) => one === process.env["CERTFARM_LOG"]) ?? "info";
  const log = createLog({ write: (line) => process.stderr.write(`${line}\n`), now: () => systemClock.now(), level, facts });
  // Who read the log may be gone (a parent that was killed, a closed pipe): the role still ends in order.
  for (const stream of [process.stderr, process.stdout]) stream.on("error", ignore);
  const ended = new Promise<string>((resolve) => {
    for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => resolve(signal));
    process.once("disconnect", () => resolve("the parent process is gone"));
  });
  return { log, ended, ready: () => process.send?.({ type: "ready" }) };
}

function ignore(): void {
  // There is nobody left to tell.
}
