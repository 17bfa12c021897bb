import type { Clock } from "../base/index.ts";
import { createBell } from "./bell.ts";
import type { Entry } from "./contract.ts";

/** The entry of a key now and after each change. */
export type FollowKey = (key: string, signal: AbortSignal) => AsyncIterable<Entry | undefined>;

/** What is waited for. */
export interface LeaseWait {
  readonly follow: FollowKey;
  readonly key: string;
  /** When it is worth while to try again, by the monotonic clock, as an entry has it. */
  readonly freeAtMs: (entry: Entry | undefined) => number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** Nothing may come of a watch that is away: then it is tried after this time. */
const LONGEST_MS = 30_000;

/** Until a lease may be free, without asking for it again and again. Never throws: what is wrong with its key is told to whoever reads it. */
export async function untilFree({ follow, key, freeAtMs, clock, signal }: LeaseWait): Promise<void> {
  const own = new AbortController();
  const bell = createBell();
  let freeMs = Number.POSITIVE_INFINITY;
  const learn = (atMs: number): void => {
    freeMs = atMs;
    bell.ring();
  };
  const watching = (async () => {
    for await (const entry of follow(key, AbortSignal.any([signal, own.signal]))) learn(freeAtMs(entry));
  })().catch(() => learn(Number.NEGATIVE_INFINITY));
  for (;;) {
    const leftMs = freeMs - clock.monotonicMs();
    const rang = leftMs > 0 && (await bell.wait(signal, Math.min(leftMs, LONGEST_MS)));
    if (!rang) break;
  }
  own.abort();
  await watching;
}
