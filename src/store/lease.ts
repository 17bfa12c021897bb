import { randomUUID } from "node:crypto";

import { FarmError, toFarmError, type Clock } from "../base/index.ts";
import { pause } from "./bell.ts";
import type { Entry, Lease, Rev, Store } from "./contract.ts";
import { untilFree, type FollowKey } from "./lease-wait.ts";

/** What a lease's key holds. The key is never removed, so that the fence never restarts. */
interface Claim {
  /** A random id of this acquisition; undefined = released. */
  readonly owner?: string;
  readonly ttlMs: number;
  readonly fence: string;
  /** Rises with every renewal; that it moves is the only sign of life. */
  readonly counter: number;
}

type Cell = Pick<Store, "read" | "write"> & {
  /** The entry of a key now and after each change, where the store tells every change: then whoever waits need not ask. */
  readonly follow?: FollowKey;
};

/** Leases of one store handle. */
export interface Leases {
  acquire(name: string, ttlMs: number, options: { readonly signal: AbortSignal; readonly wait?: boolean }): Promise<Lease | undefined>;
  /** Aborts `lost` of every lease that this process's clock says is over: called before each write, since timers are late after a stop. */
  expire(): void;
  /** Gives everything back. */
  close(): Promise<void>;
}

/** An observer waits a quarter of the ttl longer than the holder trusts itself: clocks may run at different speeds. */
const marginMs = (ttlMs: number): number => Math.max(ttlMs / 4, 20);
const MAX_OBSERVED = 1000;
const ASK_MS = 500;

const leaseKey = (name: string): string => `leases/${name}`;
const encode = (claim: Claim): Uint8Array => new TextEncoder().encode(JSON.stringify(claim));

function decode(entry: Entry): Claim {
  try {
    const claim: unknown = JSON.parse(new TextDecoder().decode(entry.value));
    if (isClaim(claim)) return claim;
  } catch (cause) {
    throw new FarmError("STORE_CORRUPT", `lease ${entry.key} is not readable`, { cause });
  }
  throw new FarmError("STORE_CORRUPT", `lease ${entry.key} is not readable`);
}

function isClaim(value: unknown): value is Claim {
  if (typeof value !== "object" || value === null) return false;
  const claim: Partial<Record<keyof Claim, unknown>> = value;
  return (
    typeof claim.fence === "string" && /^\d+$/.test(claim.fence) && typeof claim.ttlMs === "number" && typeof claim.counter === "number"
  );
}

/** The same lease held by nobody: what another store begins with, so that fences go on rising there. @throws STORE_CORRUPT */
export function releasedLease(entry: Entry): Uint8Array {
  const { ttlMs, fence, counter } = decode(entry);
  return encode({ ttlMs, fence, counter });
}

/** Whether somebody holds it, or held it since it was released with that fence. @throws STORE_CORRUPT */
export function isLeaseUsed(entry: Entry, sinceFence: bigint): boolean {
  const { owner, fence } = decode(entry);
  return owner !== undefined || BigInt(fence) > sinceFence;
}

/** The fence of a lease. @throws STORE_CORRUPT */
export const leaseFence = (entry: Entry): bigint => BigInt(decode(entry).fence);

/**
 * Leases by compare-and-set over any store: a holder rewrites its counter every third of the ttl; an observer takes over when the
 * counter has not moved for the holder's ttl and a margin on the OBSERVER's monotonic clock. No wall clock is ever compared.
 */
export function createLeases(cell: Cell, clock: Clock): Leases {
  const seen = new Map<string, { readonly rev: Rev; readonly sinceMs: number }>();
  const held = new Set<HeldLease>();

  /** True when the claim has stood still long enough, judged over all calls of this handle. */
  function isDead(name: string, rev: Rev, claim: Claim): boolean {
    const before = seen.get(name);
    if (before?.rev === rev) return clock.monotonicMs() - before.sinceMs >= claim.ttlMs + marginMs(claim.ttlMs);
    seen.delete(name);
    seen.set(name, { rev, sinceMs: clock.monotonicMs() });
    if (seen.size > MAX_OBSERVED) seen.delete(seen.keys().next().value ?? name);
    return false;
  }

  async function attempt(name: string, ttlMs: number): Promise<Lease | undefined> {
    const there = await readClaim(cell, name);
    if (there?.claim.owner !== undefined && !isDead(name, there.rev, there.claim)) return undefined;
    const startedMs = clock.monotonicMs();
    const mine: Claim = { owner: randomUUID(), ttlMs, fence: String(BigInt(there?.claim.fence ?? "0") + 1n), counter: 0 };
    const rev = await writeClaim(cell, name, mine, there?.rev);
    if (rev === undefined) return undefined;
    seen.delete(name);
    const lease = new HeldLease({ cell, clock, name, claim: mine, rev, startedMs, onEnd: () => held.delete(lease) });
    held.add(lease);
    return lease;
  }

  /** When a claim may be tried: at once when nobody holds it, else when it will have stood still for too long. */
  function freeAtMs(name: string, entry: Entry | undefined): number {
    const claim = entry === undefined ? undefined : decode(entry);
    if (entry === undefined || claim?.owner === undefined || isDead(name, entry.rev, claim)) return Number.NEGATIVE_INFINITY;
    return (seen.get(name)?.sinceMs ?? clock.monotonicMs()) + claim.ttlMs + marginMs(claim.ttlMs);
  }

  return {
    async acquire(name, ttlMs, { signal, wait = false }) {
      for (;;) {
        if (signal.aborted) throw new FarmError("CANCELLED", `waiting for lease ${name} was cancelled`);
        const lease = await attempt(name, ttlMs);
        if (lease !== undefined || !wait) return lease;
        if (cell.follow === undefined) await pause(Math.min(ttlMs / 4, ASK_MS), signal);
        else await untilFree({ follow: cell.follow, key: leaseKey(name), freeAtMs: (entry) => freeAtMs(name, entry), clock, signal });
      }
    },
    expire() {
      for (const lease of held) lease.expire();
    },
    async close() {
      await Promise.all([...held].map((lease) => lease.release()));
    },
  };
}

/** Writes a claim; undefined = somebody else was first. Whatever is not a plain success is decided by reading back. */
async function writeClaim(cell: Cell, name: string, claim: Claim, expect: Rev | undefined): Promise<Rev | undefined> {
  try {
    return await cell.write(leaseKey(name), encode(claim), expect);
  } catch (error) {
    const { code } = toFarmError(error);
    if (code !== "STORE_CONFLICT" && code !== "STORE_UNKNOWN") throw error;
    const there = await readClaim(cell, name);
    if (there !== undefined && isSame(there.claim, claim)) return there.rev;
    if (code === "STORE_UNKNOWN" && there?.rev === expect) throw error;
    return undefined;
  }
}

const isSame = (one: Claim, two: Claim): boolean => one.owner === two.owner && one.counter === two.counter;

async function readClaim(cell: Cell, name: string): Promise<{ readonly claim: Claim; readonly rev: Rev } | undefined> {
  const entry = await cell.read(leaseKey(name));
  return entry === undefined ? undefined : { claim: decode(entry), rev: entry.rev };
}

class HeldLease implements Lease {
  readonly name: string;
  readonly fence: bigint;
  readonly #cell: Cell;
  readonly #clock: Clock;
  readonly #onEnd: () => void;
  readonly #lost = new AbortController();
  #claim: Claim;
  #rev: Rev;
  /** Monotonic time from BEFORE the last acknowledged write was begun, plus the ttl. */
  #deadlineMs: number;
  #timer: NodeJS.Timeout | undefined;
  #renewing: Promise<void> = Promise.resolve();

  constructor(start: {
    readonly cell: Cell;
    readonly clock: Clock;
    readonly name: string;
    readonly claim: Claim;
    readonly rev: Rev;
    readonly startedMs: number;
    readonly onEnd: () => void;
  }) {
    this.name = start.name;
    this.fence = BigInt(start.claim.fence);
    this.#cell = start.cell;
    this.#clock = start.clock;
    this.#onEnd = start.onEnd;
    this.#claim = start.claim;
    this.#rev = start.rev;
    this.#deadlineMs = start.startedMs + start.claim.ttlMs;
    this.#schedule();
  }

  get lost(): AbortSignal {
    this.expire();
    return this.#lost.signal;
  }

  expire(): void {
    if (this.#clock.monotonicMs() >= this.#deadlineMs) this.#end("the lease ran out before it could be renewed");
  }

  #end(reason: string): void {
    if (this.#lost.signal.aborted) return;
    clearTimeout(this.#timer);
    this.#onEnd();
    this.#lost.abort(new FarmError("CANCELLED", `lease ${this.name}: ${reason}`));
  }

  /** Next renewal, or the end when that comes first. */
  #schedule(): void {
    if (this.#lost.signal.aborted) return;
    const untilEnd = this.#deadlineMs - this.#clock.monotonicMs();
    const step = Math.max(0, Math.min(this.#claim.ttlMs / 3, untilEnd));
    this.#timer = setTimeout(() => this.#tick(), step);
    this.#timer.unref();
  }

  #tick(): void {
    this.expire();
    if (this.#lost.signal.aborted) return;
    // The deadline keeps its own timer while the renewal is on its way, for a store that hangs.
    this.#timer = setTimeout(() => this.expire(), Math.max(0, this.#deadlineMs - this.#clock.monotonicMs()));
    this.#timer.unref();
    this.#renewing = this.#renew();
  }

  async #renew(): Promise<void> {
    const startedMs = this.#clock.monotonicMs();
    const next: Claim = { ...this.#claim, counter: this.#claim.counter + 1 };
    try {
      const rev = await writeClaim(this.#cell, this.name, next, this.#rev);
      if (rev === undefined) return this.#end("somebody else took it over");
      this.#claim = next;
      this.#rev = rev;
      if (!this.#lost.signal.aborted) this.#deadlineMs = startedMs + this.#claim.ttlMs;
    } catch {
      // The store does not answer: try again until the deadline ends it.
    }
    clearTimeout(this.#timer);
    this.#schedule();
  }

  async release(): Promise<void> {
    this.#end("released");
    await this.#renewing;
    const { ttlMs, fence, counter } = this.#claim;
    try {
      await this.#cell.write(leaseKey(this.name), encode({ ttlMs, fence, counter }), this.#rev);
    } catch {
      // A successor holds it, or the store is away: then it runs out by itself.
    }
  }
}
