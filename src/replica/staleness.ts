import { toFarmError, type Clock, type Instant, type Log } from "../base/index.ts";

/** Since when something could not be read; tells the log once when that begins and once when it ends. */
export interface Staleness {
  /** undefined = the last look succeeded, or there was none yet. */
  since(): Instant | undefined;
  failed(error: unknown): void;
  answered(): void;
}

/** @param what Names what goes stale in the log: "configuration", "content". */
export function createStaleness(what: string, { clock, log }: { readonly clock: Clock; readonly log: Log }): Staleness {
  let since: Instant | undefined;
  return {
    since: () => since,
    failed(thrown) {
      if (since !== undefined) return;
      since = clock.now();
      const error = toFarmError(thrown);
      log.warn("cannot be brought up to date; the last good state goes on", { what, code: error.code, problem: error.message });
    },
    answered() {
      if (since === undefined) return;
      log.info("is up to date again", { what, staleMs: clock.now() - since });
      since = undefined;
    },
  };
}
