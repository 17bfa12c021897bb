import { FarmError, type Clock } from "../../../base/index.ts";
import type { EtcdAddress } from "./url.ts";
import type { Verdict } from "./verdict.ts";

/** What a question can get. */
export type Answer = Extract<Verdict, { kind: "done" | "compacted" | "too-large" }>;

/** Between two rounds over all members. */
export const PAUSE_MS = 150;
/** Logins anew within one call. */
const MAX_LOGINS = 2;

/** How much one call puts up with. */
export interface Patience {
  /** @throws when it is no use to go on, or the time is over */
  bear(verdict: Exclude<Verdict, Answer>): void;
}

/** The patience of one call that begins now. */
export function createPatience({ text, members }: EtcdAddress, clock: Clock, patienceMs: number): Patience {
  const endMs = clock.monotonicMs() + patienceMs;
  let tries = 0;
  let untrusted = 0;
  let logins = 0;

  function bearToken(): void {
    logins += 1;
    if (logins > MAX_LOGINS) throw new FarmError("STORE_REFUSED", `${text} refuses every token it gives`);
  }
  return {
    bear(verdict) {
      tries += 1;
      if (verdict.kind === "refused") throw verdict.error;
      if (verdict.kind === "token") return bearToken();
      untrusted = verdict.kind === "not-done" && verdict.untrusted ? untrusted + 1 : 0;
      if (untrusted >= members.length) throw new FarmError("STORE_UNTRUSTED", verdict.problem, { facts: { store: text } });
      if (clock.monotonicMs() + PAUSE_MS < endMs) return;
      throw new FarmError(
        "STORE_UNAVAILABLE",
        `${text}: no member answered for the cluster in ${tries} tries; the last: ${verdict.problem}`,
        {
          facts: { store: text, tries },
        },
      );
    },
  };
}
