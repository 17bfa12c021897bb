import { FarmError } from "../../base/index.ts";
import type { Account } from "./find-account.ts";

const ROOT = 0;

/** @types/node leaves initgroups out. */
interface Posix extends NodeJS.Process {
  readonly initgroups?: (user: string, extraGroup: number) => void;
}
const posix: Posix = process;

/** Whether this process may do anything. */
export const isRoot = (): boolean => process.getuid?.() === ROOT;

/**
 * Gives up root for good: supplementary groups, group, user, in this order, in all threads; then makes sure that there is no way back.
 * @throws ACCOUNT_NOT_TAKEN
 */
export function become({ name, uid, gid }: Account): void {
  if (isAlready(uid, gid)) return;
  if (!isRoot() || posix.initgroups === undefined || posix.setgid === undefined || posix.setuid === undefined)
    throw notTaken(name, "only root can change accounts");
  try {
    posix.initgroups(name, gid);
    posix.setgid(gid);
    posix.setuid(uid);
  } catch (error) {
    throw notTaken(name, error instanceof Error ? error.message : String(error), error);
  }
  if (uid !== ROOT && canReturn()) throw notTaken(name, "root could be taken again");
}

const isAlready = (uid: number, gid: number): boolean => posix.getuid?.() === uid && posix.getgid?.() === gid;

function canReturn(): boolean {
  try {
    process.setuid?.(ROOT);
    return true;
  } catch {
    return false;
  }
}

const notTaken = (name: string, why: string, cause?: unknown): FarmError =>
  new FarmError("ACCOUNT_NOT_TAKEN", `the process cannot become ${name}: ${why}`, { facts: { account: name }, cause });
