import type { Entry } from "../contract.ts";
import { isBelow } from "../key.ts";
import { releasedLease } from "../lease.ts";

/** Where leases are. */
export const LEASES = "leases";

/**
 * Of the moment, between processes of this one store: a request that came along would be carried out a second time, and trials of the
 * store are nobody's.
 */
const PASSING = ["requests", "answers", "self-test"];

/** What nodes say of themselves: worth having while a farm moves, and untrue in a backup. */
const REPORTS = "nodes";

/** Whether a key has a place in another store of the same farm. */
export const isMoved = (key: string): boolean => !PASSING.some((prefix) => isBelow(prefix, key));

/** Whether a key belongs into a backup. */
export const isKept = (key: string): boolean => isMoved(key) && !isBelow(REPORTS, key);

/**
 * What a key has in another store: its value; a lease is held by nobody there, since its holder renews it here alone, but its fence goes on.
 * @throws STORE_CORRUPT for a damaged lease
 */
export const movedValue = (entry: Entry): Uint8Array => (isBelow(LEASES, entry.key) ? releasedLease(entry) : entry.value);
