import { FarmError, type Clock } from "../base/index.ts";

/**
 * Lets work that holds the event loop through in small doses. Making a TLS context takes 0.5 to 1.5 ms and cannot leave the
 * event loop, so a storm of names that were never seen would stall every warm client; behind the gate it gets a share of the loop.
 */
export interface ColdGate {
  /** Runs `work` when its turn comes. @throws NODE_OVERLOADED when too many wait already */
  run<T>(work: () => T): Promise<T>;
  /** Tells the gate that the loop served somebody else meanwhile: only then does cold work have to wait. */
  noteWarm(): void;
  readonly waiting: number;
}

interface Waiting {
  readonly start: () => void;
}

/**
 * A gate that leaves at least `1 - share` of the loop's time to warm connections while there are any.
 * @param settings.share part of the loop that cold work may take, 0 to 1
 * @param settings.maxWaiting bound of the queue
 */
export function createColdGate(clock: Clock, settings: { readonly share: number; readonly maxWaiting: number }): ColdGate {
  const queue: Waiting[] = [];
  let warmSince = false;
  let scheduled = false;

  const schedule = (spentMs: number): void => {
    if (scheduled || queue.length === 0) return;
    scheduled = true;
    const pauseMs = warmSince ? (spentMs * (1 - settings.share)) / settings.share : 0;
    if (pauseMs < 0.5) setImmediate(next);
    else setTimeout(next, Math.ceil(pauseMs));
  };
  const next = (): void => {
    scheduled = false;
    const started = clock.monotonicMs();
    warmSince = false;
    queue.shift()?.start();
    schedule(clock.monotonicMs() - started);
  };

  return {
    run: (work) =>
      new Promise((resolve, reject) => {
        if (queue.length >= settings.maxWaiting) {
          reject(new FarmError("NODE_OVERLOADED", `${queue.length} host names wait for their certificate already`));
          return;
        }
        queue.push({
          start: () => {
            try {
              resolve(work());
            } catch (error) {
              reject(error);
            }
          },
        });
        schedule(0);
      }),
    noteWarm() {
      warmSince = true;
    },
    get waiting() {
      return queue.length;
    },
  };
}
