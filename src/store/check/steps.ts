import { randomBytes, randomUUID } from "node:crypto";

import { FarmError, toFarmError, type Clock } from "../../base/index.ts";
import type { Rev, Store } from "../contract.ts";
import type { TransferEnd } from "../transfer/end.ts";
import type { CheckStep } from "./types.ts";

/** Two handles on one place, as two processes would have. */
export interface CheckedPair {
  readonly one: TransferEnd;
  readonly two: TransferEnd;
  readonly clock: Clock;
  /** No further step is tried. */
  readonly signal: AbortSignal;
}

interface Trial {
  readonly name: string;
  /** Longer is slow. */
  readonly slowMs: number;
  /** Says what it found, if there is more to say than that it works. */
  readonly run: (signal: AbortSignal) => Promise<string | undefined>;
}

/** No step takes longer. */
const LIMIT_MS = 20_000;
const BYTES = 10 * 1024;
const BLOB_BYTES = 1024 * 1024;
const LEASE_MS = 10_000;

const differs = (what: string): FarmError => new FarmError("STORE_CORRUPT", `${what} is not what was written a moment before`);

/** Tries everything that a farm needs of a store, in the order in which one failure explains the next. Never throws. */
export async function tryStore({ one, two, clock, signal }: CheckedPair): Promise<readonly CheckStep[]> {
  const steps: CheckStep[] = [];
  for (const trial of [...keyTrials(one.store.state, two.store.state, clock), ...bulkTrials(one, two)])
    if (!signal.aborted) steps.push(await tryOne(trial, clock));
  return steps;
}

async function tryOne({ name, slowMs, run }: Trial, clock: Clock): Promise<CheckStep> {
  const startMs = clock.monotonicMs();
  const taken = (): number => clock.monotonicMs() - startMs;
  const limit = AbortSignal.timeout(LIMIT_MS);
  const late = new Promise<never>((_resolve, reject) => {
    limit.addEventListener("abort", () => reject(new FarmError("STORE_UNAVAILABLE", `no answer within ${LIMIT_MS / 1000} s`)), {
      once: true,
    });
  });
  try {
    const note = await Promise.race([run(limit), late]);
    const ms = taken();
    return { name, outcome: ms > slowMs ? "slow" : "ok", ms, ...(note === undefined ? {} : { note }) };
  } catch (thrown) {
    const error = toFarmError(thrown, "STORE_UNAVAILABLE");
    return { name, outcome: "wrong", ms: taken(), note: error.message, error };
  }
}

function keyTrials(one: Store, two: Store, clock: Clock): readonly Trial[] {
  const key = `check/${randomUUID()}`;
  const value = Uint8Array.from(randomBytes(BYTES));
  let rev: Rev | undefined;
  return [
    { name: "write 10 KiB", slowMs: 500, run: async () => void (rev = await one.write(key, value, undefined)) },
    {
      name: "read it through another handle",
      slowMs: 250,
      async run() {
        const found = await two.read(key);
        if (found === undefined || found.rev !== rev || Buffer.compare(found.value, value) !== 0) throw differs("a key");
        return undefined;
      },
    },
    {
      name: "refuse a write over an older version",
      slowMs: 1000,
      async run() {
        const newer = await two.write(key, value, rev);
        await requireConflict(() => one.write(key, value, rev));
        await requireConflict(() => one.write(key, value, undefined));
        rev = newer;
        return undefined;
      },
    },
    {
      name: "list",
      slowMs: 500,
      async run() {
        const found = await one.list("check");
        if (!found.some((entry) => entry.key === key && entry.rev === rev)) throw differs("a listing");
        return undefined;
      },
    },
    { name: "watch", slowMs: 2500, run: (signal) => watchOneChange({ one, two, clock, signal }) },
    { name: "lease", slowMs: 2000, run: (signal) => passLease(one, two, signal) },
    {
      name: "remove",
      slowMs: 750,
      async run() {
        if (rev !== undefined) await one.remove(key, rev);
        if ((await two.read(key)) !== undefined) throw differs("a removed key");
        return undefined;
      },
    },
  ];
}

async function requireConflict(write: () => Promise<unknown>): Promise<void> {
  try {
    await write();
  } catch (error) {
    if (toFarmError(error).code === "STORE_CONFLICT") return;
    throw error;
  }
  throw new FarmError("STORE_CORRUPT", "a write over an older version was taken: two writers would lose each other's changes");
}

/** From a write to its arrival at the other handle. */
async function watchOneChange(parts: {
  readonly one: Store;
  readonly two: Store;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}): Promise<string> {
  const { one, two, clock } = parts;
  const key = `watch/${randomUUID()}`;
  const ending = new AbortController();
  let sentMs = 0;
  try {
    for await (const change of two.watch("watch", { signal: AbortSignal.any([parts.signal, ending.signal]) })) {
      if (change.type === "reset" && sentMs === 0) {
        sentMs = clock.monotonicMs();
        await one.write(key, new Uint8Array(), undefined);
      }
      const arrived = change.type === "put" ? [change.entry] : change.type === "reset" ? change.entries : [];
      if (arrived.some((entry) => entry.key === key)) return `a change arrives after ${Math.round(clock.monotonicMs() - sentMs)} ms`;
    }
  } finally {
    ending.abort();
  }
  throw new FarmError("STORE_UNAVAILABLE", "a change did not arrive at a watch");
}

async function passLease(one: Store, two: Store, signal: AbortSignal): Promise<undefined> {
  const name = randomUUID();
  const first = await one.lease(name, LEASE_MS, { signal });
  if (first === undefined) throw new FarmError("STORE_CORRUPT", "a lease that nobody holds is not given");
  if ((await two.lease(name, LEASE_MS, { signal })) !== undefined) throw new FarmError("STORE_CORRUPT", "a lease was given twice");
  await first.release();
  const second = await two.lease(name, LEASE_MS, { signal });
  if (second === undefined || second.fence <= first.fence) throw new FarmError("STORE_CORRUPT", "a lease that was given back is not given");
  await second.release();
  return undefined;
}

function bulkTrials(one: TransferEnd, two: TransferEnd): readonly Trial[] {
  const bytes = Uint8Array.from(randomBytes(BLOB_BYTES));
  const path = "check.txt";
  const file = (end: TransferEnd): ReturnType<TransferEnd["store"]["folder"]> => end.store.folder("config");
  return [
    {
      name: "a file in a folder",
      slowMs: 1500,
      async run() {
        const small = bytes.subarray(0, BYTES);
        await file(one).put(path, small);
        const found = await file(two).read(path, { maxBytes: BYTES });
        if (found === undefined || Buffer.compare(found.bytes, small) !== 0) throw differs("a file");
        await file(one).remove(path);
        if ((await file(two).stat(path)) !== undefined) throw differs("a removed file");
        return undefined;
      },
    },
    {
      name: "a blob of 1 MiB",
      slowMs: 3000,
      async run() {
        if (one.blobs.location === "nowhere") return "not tried: no place for blobs is given (--blobs)";
        const digest = await one.blobs.put(inPieces(bytes));
        try {
          const parts: Uint8Array[] = [];
          for await (const part of two.blobs.get(digest)) parts.push(part);
          if (Buffer.compare(Buffer.concat(parts), bytes) !== 0) throw differs("a blob");
        } finally {
          await one.blobs.remove(digest);
        }
        return undefined;
      },
    },
  ];
}

async function* inPieces(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += 65_536) yield bytes.subarray(at, at + 65_536);
}
