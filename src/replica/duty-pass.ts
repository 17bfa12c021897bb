import type { Clock } from "../base/index.ts";

/** What a pass leaves: nothing to do, or something that should be looked at again after a while without any hint. */
export type PassOutcome = "settled" | { readonly againInMs: number };

/** One pass of a duty over the whole present state. Throws what hinders it; it is tried again then. */
export type DutyPass = (signal: AbortSignal) => Promise<PassOutcome>;

/** When to look again at what did not settle. */
export interface Patience {
  isDue(name: string): boolean;
  /** A look at it found it settled, or not. */
  tell(name: string, settled: boolean): void;
  /** The outcome of a pass that leaves these unsettled. */
  next(unsettled: readonly string[]): PassOutcome;
}

const GROWTH = 1.5;
const MAX_WAIT_MS = 30_000;

/**
 * Waits that grow with each look in vain, for each name by itself: a folder that a log is written into forever does not cost a walk a
 * second, and a long copy is published at the latest half of its duration (and at most 30 s) after its end.
 */
export function createPatience(clock: Clock, firstWaitMs: number): Patience {
  const waits = new Map<string, { readonly waitMs: number; readonly dueMs: number }>();
  return {
    isDue: (name) => (waits.get(name)?.dueMs ?? 0) <= clock.monotonicMs(),
    tell(name, settled) {
      const before = waits.get(name);
      if (settled) waits.delete(name);
      else {
        const waitMs = Math.min(before === undefined ? firstWaitMs : before.waitMs * GROWTH, MAX_WAIT_MS);
        waits.set(name, { waitMs, dueMs: clock.monotonicMs() + waitMs });
      }
    },
    next(unsettled) {
      for (const name of waits.keys()) if (!unsettled.includes(name)) waits.delete(name);
      if (unsettled.length === 0) return "settled";
      const dueMs = Math.min(...unsettled.map((name) => waits.get(name)?.dueMs ?? 0));
      return { againInMs: Math.max(0, dueMs - clock.monotonicMs()) };
    },
  };
}
