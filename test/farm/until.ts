import { setTimeout as pause } from "node:timers/promises";

/** How long and how often to ask. */
export interface UntilOptions {
  /** What is waited for, for the message when it does not come. */
  readonly what: string;
  /** @default 20,000 */
  readonly deadlineMs?: number;
  /** @default 50 */
  readonly everyMs?: number;
}

/** A value, and how long it took to come. */
export interface Waited<T> {
  readonly value: T;
  readonly tookMs: number;
}

/**
 * Asks across a process boundary until the answer is neither undefined nor false. A question that throws is asked again.
 * @throws Error naming `what` and the last answer or error when the deadline passes
 */
export async function until<T>(ask: () => Promise<T | undefined | false>, options: UntilOptions): Promise<Waited<T>> {
  const startedMs = performance.now();
  const deadlineMs = options.deadlineMs ?? 20_000;
  for (;;) {
    let last: unknown;
    try {
      const value = await ask();
      if (value !== undefined && value !== false) return { value, tookMs: performance.now() - startedMs };
      last = value;
    } catch (error) {
      last = error;
    }
    if (performance.now() - startedMs > deadlineMs) {
      throw new Error(`not within ${deadlineMs} ms: ${options.what} (last: ${String(last)})`);
    }
    await pause(options.everyMs ?? 50);
  }
}
