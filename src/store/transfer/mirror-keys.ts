import { FarmError, toFarmError } from "../../base/index.ts";
import { pause } from "../bell.ts";
import type { Change, Entry, Rev, Store } from "../contract.ts";
import { isBelow } from "../key.ts";
import { isLeaseUsed, leaseFence } from "../lease.ts";
import { digestOf } from "./digest.ts";
import { inLanes } from "./in-lanes.ts";
import { isMoved, LEASES, movedValue } from "./kinds.ts";

/** Keep `to` as `from` is. */
export interface KeyMirror {
  /** Applies one change of `from`'s watch. */
  apply(change: Change): Promise<void>;
  /** Keys that somebody else changed in `to` since: they are left alone. */
  readonly taken: ReadonlySet<string>;
  /** Keys that `to` does not take as they are. */
  readonly unfit: ReadonlySet<string>;
  /** So far. */
  readonly counts: { written: number; removed: number };
}

/** What is asked about each value. */
export interface KeyRules {
  readonly takes: (name: string, bytes: Uint8Array) => boolean;
  /** Awaited before a value is written. */
  readonly beforeWrite: (value: Uint8Array) => Promise<void>;
}

/** What stands in `to`, as this copy last saw or wrote it. */
interface Known {
  readonly rev: Rev;
  readonly digest: string;
}

const LANES = 16;
const TRIES = 8;
const RETRY_MS = 250;

/**
 * Mirrors keys by compare-and-set, so that a process that already works on `to` is never overwritten.
 * @throws STORE_IN_USE when a lease in `to` was held there
 */
export async function mirrorKeys(from: Store, to: Store, rules: KeyRules): Promise<KeyMirror> {
  await requireUnused(from, to);
  const known = new Map<string, Known>();
  for (const { key, rev, value } of await to.list("")) known.set(key, { rev, digest: digestOf(value) });
  const taken = new Set<string>();
  const unfit = new Set<string>();
  const counts = { written: 0, removed: 0 };

  async function put(entry: Entry): Promise<void> {
    const { key } = entry;
    if (!isMoved(key) || taken.has(key)) return;
    const value = movedValue(entry);
    const digest = digestOf(value);
    const there = known.get(key);
    if (there?.digest === digest) return;
    if (!rules.takes(`state/${key}`, value)) return void unfit.add(key);
    unfit.delete(key);
    await rules.beforeWrite(value);
    const rev = await settle(to, key, { digest, change: () => to.write(key, value, there?.rev) });
    if (rev === undefined || rev === "removed") return void taken.add(key);
    known.set(key, { rev, digest });
    counts.written += 1;
  }
  async function remove(key: string): Promise<void> {
    const there = known.get(key);
    if (!isMoved(key) || taken.has(key) || there === undefined) return;
    const gone = await settle(to, key, { digest: undefined, change: () => to.remove(key, there.rev) });
    if (gone === undefined) return void taken.add(key);
    known.delete(key);
    counts.removed += 1;
  }
  async function reset(entries: readonly Entry[]): Promise<void> {
    await inLanes(entries, LANES, put);
    const present = new Set(entries.map(({ key }) => key));
    const surplus = [...known.keys()].filter((key) => !present.has(key));
    await inLanes(surplus, LANES, remove);
  }
  return {
    taken,
    unfit,
    counts,
    async apply(change) {
      if (change.type === "reset") await reset(change.entries);
      if (change.type === "put") await put(change.entry);
      if (change.type === "del") await remove(change.key);
    },
  };
}

/**
 * Does a change and makes sure of it; whatever is not a plain answer is decided by reading back. Returns the version that stands, the text
 * `removed`, or undefined when somebody else was first.
 */
async function settle(
  to: Store,
  key: string,
  work: { readonly digest: string | undefined; readonly change: () => Promise<Rev | void> },
): Promise<Rev | "removed" | undefined> {
  const isDone = (there: Entry | undefined): boolean =>
    work.digest === undefined ? there === undefined : there !== undefined && digestOf(there.value) === work.digest;
  for (let tries = 1; ; tries += 1) {
    try {
      return (await work.change()) ?? "removed";
    } catch (error) {
      const { code } = toFarmError(error);
      if (code === "STORE_CONFLICT" || code === "STORE_UNKNOWN") {
        const there = await to.read(key);
        if (isDone(there)) return there?.rev ?? "removed";
        if (code === "STORE_CONFLICT") return undefined;
      } else if (code !== "STORE_UNAVAILABLE") throw error;
      if (tries === TRIES) throw error;
    }
    await pause(RETRY_MS * tries, AbortSignal.timeout(10_000));
  }
}

/** A lease that is held, or was since the fences came over, is the trace of a process that works on `to`. */
async function requireUnused(from: Store, to: Store): Promise<void> {
  const fences = new Map((await from.list(LEASES)).map((entry) => [entry.key, leaseFence(entry)]));
  for (const entry of await to.list(LEASES)) {
    if (!isBelow(LEASES, entry.key) || !isLeaseUsed(entry, fences.get(entry.key) ?? 0n)) continue;
    throw new FarmError("STORE_IN_USE", `a process works on the store to copy to, or did since the last copy: it held ${entry.key}`, {
      facts: { key: entry.key },
    });
  }
}
