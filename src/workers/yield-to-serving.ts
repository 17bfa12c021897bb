import { constants, setPriority } from "node:os";

/**
 * Gives the calling thread a lower priority than the one that answers handshakes: on a busy processor opening files waits, clients do not.
 * Linux only, where niceness belongs to a thread (sched(7)); elsewhere it would slow the whole process, so nothing happens.
 */
export function yieldToServing(): void {
  if (process.platform === "linux") setPriority(0, constants.priority.PRIORITY_BELOW_NORMAL);
}
