import type { Staleness } from "./staleness.ts";

/** Wakes one waiter; rings before the wait are kept as one. */
export interface Bell {
  ring(): void;
  /** Resolves at a ring (at once when it rang since the last wait), after `atMostMs`, or on abort. Never rejects. */
  wait(atMostMs: number, signal: AbortSignal): Promise<void>;
}

/** What to look at again and again. */
export interface FollowPlan<T> {
  /** The whole present state, not a change. May throw: that is an outage, not an end. */
  look(): Promise<T>;
  /** Each says "look again". Their failures are waited out. */
  readonly hints: readonly ((signal: AbortSignal) => AsyncIterable<unknown>)[];
  /** A look without any hint: hints may be lost. May depend on what was seen. */
  readonly everyMs: number | ((seen: T) => number);
  readonly signal: AbortSignal;
  readonly staleness?: Staleness;
  /** Rung by others who know of a change. */
  readonly bell?: Bell;
}

const SAFETY_NET_MS = 60_000;

/** How often to look without a hint: rarely where the store tells every change, and says when it cannot. */
export const restMs = ({ tellsAll }: { readonly tellsAll?: boolean }, everyMs: number): number =>
  tellsAll === true ? Math.max(everyMs, SAFETY_NET_MS) : everyMs;

const FIRST_RETRY_MS = 100;
const LAST_RETRY_MS = 5_000;

/** Waits; resolves early on abort and never rejects. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return createBell().wait(ms, signal);
}

/** A bell for one waiter at a time. */
export function createBell(): Bell {
  let rung = false;
  let wake: (() => void) | undefined;
  return {
    ring() {
      rung = true;
      wake?.();
    },
    wait(atMostMs, signal) {
      return new Promise<void>((resolve) => {
        // Not unref'd: an awaited wait must not let the process end silently; it ends by its signal.
        const timer = setTimeout(() => wake?.(), atMostMs);
        wake = () => {
          wake = undefined;
          rung = false;
          clearTimeout(timer);
          signal.removeEventListener("abort", stop);
          resolve();
        };
        const stop = (): void => wake?.();
        signal.addEventListener("abort", stop, { once: true });
        if (rung || signal.aborted) stop();
      });
    },
  };
}

/** Delays of a bounded back-off: doubled each time, spread by a quarter so that many nodes do not come back at once. */
export function createBackoff(): { next(): number; reset(): void } {
  let delay = FIRST_RETRY_MS;
  return {
    next() {
      const now = delay;
      delay = Math.min(delay * 2, LAST_RETRY_MS);
      return now * (0.75 + Math.random() / 2);
    },
    reset() {
      delay = FIRST_RETRY_MS;
    },
  };
}

/** Looks at once, after every hint and every `everyMs`, and yields what each look saw; outlives every failure and ends on abort only. */
export async function* follow<T>(plan: FollowPlan<T>): AsyncGenerator<T, void, undefined> {
  const own = new AbortController();
  const signal = AbortSignal.any([plan.signal, own.signal]);
  const bell = plan.bell ?? createBell();
  const ringing = plan.hints.map((open) => ringOn(bell, open, signal));
  const backoff = createBackoff();
  try {
    while (!signal.aborted) {
      const seen = await attempt(plan);
      if (signal.aborted) return;
      if (seen === undefined) {
        await pause(backoff.next(), signal);
        continue;
      }
      backoff.reset();
      yield seen.value;
      await bell.wait(typeof plan.everyMs === "number" ? plan.everyMs : plan.everyMs(seen.value), signal);
    }
  } finally {
    own.abort();
    await Promise.all(ringing);
  }
}

async function attempt<T>(plan: FollowPlan<T>): Promise<{ readonly value: T } | undefined> {
  try {
    const value = await plan.look();
    plan.staleness?.answered();
    return { value };
  } catch (error) {
    if (!plan.signal.aborted) plan.staleness?.failed(error);
    return undefined;
  }
}

/** Rings at everything a source tells, for as long as the signal lives; a source that fails is opened again. Never rejects. */
async function ringOn(bell: Bell, open: (signal: AbortSignal) => AsyncIterable<unknown>, signal: AbortSignal): Promise<void> {
  const backoff = createBackoff();
  while (!signal.aborted) {
    try {
      for await (const _hint of open(signal)) {
        backoff.reset();
        bell.ring();
      }
    } catch {
      // The look meets the same failure and reports it; a hint is only a hint.
    }
    await pause(backoff.next(), signal);
    bell.ring();
  }
}

/** The outcome of a promise, or the signal's reason as soon as it aborts; the promise itself goes on, its failure is not lost to the process. */
export async function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  let stop = (): void => {};
  const aborted = new Promise<never>((_resolve, reject) => {
    stop = () => reject(signal.reason as Error); // AbortSignal types its reason as any
    signal.addEventListener("abort", stop, { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}
