import { FarmError } from "../base/index.ts";

/** How urgent a file is: a handshake waits for it, it changed while in use, or nobody asked yet. */
export type Urgency = "demand" | "refresh" | "background";

/** Runs reads with bounded concurrency; what waits is bounded too. */
export interface ReadQueue {
  /** @throws CERTIFICATES_OVERLOADED when too many wait already */
  run<T>(urgency: Urgency, task: () => Promise<T>): Promise<T>;
  /** Reads under way or waiting that are not background. */
  readonly busy: number;
}

const ORDER: readonly Urgency[] = ["demand", "refresh", "background"];

/** A queue that takes `demand` first; at most `maxWaiting` of each urgency wait. */
export function createReadQueue(concurrency: number, maxWaiting: number): ReadQueue {
  const waiting: Record<Urgency, (() => void)[]> = { demand: [], refresh: [], background: [] };
  let running = 0;
  let busy = 0;
  /** Hands the slot to the next in line, so that nobody slips in between. */
  const release = (): void => {
    const next = ORDER.map((urgency) => waiting[urgency])
      .find((line) => line.length > 0)
      ?.shift();
    if (next === undefined) running -= 1;
    else next();
  };
  const slot = (urgency: Urgency): Promise<void> | undefined => {
    if (running >= concurrency) return new Promise((resolve) => waiting[urgency].push(resolve));
    running += 1;
    return undefined;
  };
  return {
    get busy() {
      return busy;
    },
    async run(urgency, task) {
      if (running >= concurrency && waiting[urgency].length >= maxWaiting) {
        throw new FarmError("CERTIFICATES_OVERLOADED", `${maxWaiting} certificate files wait to be read already`);
      }
      const counts = urgency === "background" ? 0 : 1;
      busy += counts;
      await slot(urgency);
      try {
        return await task();
      } finally {
        busy -= counts;
        release();
      }
    },
  };
}
