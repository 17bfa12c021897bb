/** Resolves after a time, or at once when the signal aborts; does not keep the process alive. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms).unref();
    signal.addEventListener("abort", done, { once: true });
  });
}

/** Calls `task` for each item, at most `width` at a time. The first failure ends it after those under way. */
export async function forEachBounded<T>(items: Iterable<T>, width: number, task: (item: T) => Promise<void>): Promise<void> {
  const rest = items[Symbol.iterator]();
  const lane = async (): Promise<void> => {
    for (let next = rest.next(); next.done !== true; next = rest.next()) await task(next.value);
  };
  await Promise.all(Array.from({ length: width }, lane));
}

/** Something to wait for: a ring, or the time. */
export interface Alarm {
  /** Ends the wait, or the next one when nobody waits. */
  ring(): void;
  /** True when it was rung. */
  wait(ms: number): Promise<boolean>;
}

/** An alarm for one waiter; does not keep the process alive. */
export function createAlarm(): Alarm {
  let rung = false;
  let end = (): void => {};
  return {
    ring() {
      rung = true;
      end();
    },
    async wait(ms) {
      if (!rung) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, ms).unref();
          end = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      }
      const was = rung;
      rung = false;
      return was;
    },
  };
}
