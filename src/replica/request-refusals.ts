import { instant, type Clock, type Instant, type Log } from "../base/index.ts";
import type { StatementReason } from "../identity/index.ts";

/** A request that the node did not believe. Nothing in it is proved, but for what the reason says. */
export interface RefusedRequest {
  readonly at: Instant;
  readonly reason: StatementReason;
  /** One sentence. */
  readonly problem: string;
}

/** What a node refused since it started. */
export interface RefusedRequests {
  readonly total: number;
  readonly byReason: Readonly<Partial<Record<StatementReason, number>>>;
  /** The last ones, oldest first. */
  readonly last: readonly RefusedRequest[];
}

/** Requests that a node refused because nobody who may had signed them: counted and, the last ones, kept. */
export interface RequestRefusals {
  note(refused: Omit<RefusedRequest, "at">): void;
  show(): RefusedRequests;
}

const KEPT = 50;
/** Whoever can write into the store could fill the log. */
const LOG_EVERY_MS = 10_000;

/** A journal that tells the log of a refusal at most every ten seconds, with how many there were between. */
export function createRequestRefusals({ clock, log }: { readonly clock: Clock; readonly log: Log }): RequestRefusals {
  const counts = new Map<StatementReason, number>();
  let last: readonly RefusedRequest[] = [];
  let total = 0;
  let told: { readonly atMs: number; readonly total: number } = { atMs: Number.NEGATIVE_INFINITY, total: 0 };
  return {
    note({ reason, problem }) {
      total += 1;
      counts.set(reason, (counts.get(reason) ?? 0) + 1);
      last = [...last.slice(1 - KEPT), { at: instant(clock.now()), reason, problem }];
      if (clock.monotonicMs() - told.atMs < LOG_EVERY_MS) return;
      log.warn("a request is refused: nobody who may has signed it", { reason, problem, since: total - told.total });
      told = { atMs: clock.monotonicMs(), total };
    },
    show: () => ({ total, byReason: Object.fromEntries(counts), last }),
  };
}
