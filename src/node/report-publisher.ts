import { toFarmError, type Log } from "../base/index.ts";

/** Publishes the node's report: soon after every change, and every few seconds without any. */
export interface ReportPublisher {
  soon(): void;
}

const EVERY_MS = 5_000;
const DEBOUNCE_MS = 150;

/** A publisher that runs one publication at a time until the signal aborts. */
export function createReportPublisher(publish: () => Promise<unknown>, log: Log, signal: AbortSignal): ReportPublisher {
  let timer: NodeJS.Timeout | undefined;
  let busy = false;
  let again = false;

  const arm = (delayMs: number): void => {
    clearTimeout(timer);
    if (signal.aborted) return;
    timer = setTimeout(run, delayMs);
    timer.unref();
  };
  const run = (): void => {
    busy = true;
    again = false;
    publish()
      .catch((error: unknown) => log.warn("report not published", { problem: toFarmError(error).message }))
      .finally(() => {
        busy = false;
        arm(again ? DEBOUNCE_MS : EVERY_MS);
      });
  };

  arm(DEBOUNCE_MS);
  return {
    soon() {
      if (again) return;
      again = true;
      if (!busy) arm(DEBOUNCE_MS);
    },
  };
}
