import type { RequestRecord } from "./load/types.ts";

/** The moments of a fault, on the machine's monotonic clock. */
export interface Moments {
  /** Before anything was done. */
  readonly beganMs: number;
  /** The fault is in place. */
  readonly inPlaceMs: number;
  /** What caused it is gone, e.g. a killed process was started again. */
  readonly healedMs: number;
  /** Everything was found proved. */
  readonly provedMs: number;
}

/** Whether physics makes a failed request of a fault unavoidable, as docs/faults.md says it for each fault. */
export type Excuse = (failed: RequestRecord, moments: Moments) => boolean;

/** Nothing may fail. */
export const nothing: Excuse = () => false;

/**
 * Under way when the fault came: whatever was on a connection to the victim is gone with it. `detectionMs` is how long nobody can know of a fault
 * without a sign, such as a cut line.
 */
export const underWay =
  (detectionMs = 100): Excuse =>
  ({ s, e }, { beganMs, inPlaceMs }) =>
    e >= beganMs && s <= inPlaceMs + detectionMs;

/** On a connection that was kept from before the fault. */
export const onKeptConnection =
  (detectionMs: number): Excuse =>
  (failed, moments) =>
    failed.k === "keep-alive" && (failed.u ?? 1) > 1 && underWay(detectionMs)(failed, moments);

/** To this address: a client has to try it to find out that nobody is there. */
export const through =
  (...balancers: readonly string[]): Excuse =>
  ({ b, e, s }, { beganMs, healedMs }) =>
    balancers.includes(b) && e >= beganMs && s <= healedMs;

/** One of several reasons. */
export const either =
  (...excuses: readonly Excuse[]): Excuse =>
  (failed, moments) =>
    excuses.some((excuse) => excuse(failed, moments));

/** What clients saw of a fault, from its beginning until everything was proved again. */
export interface Verdict {
  readonly requests: number;
  readonly failed: number;
  /** Failures that no excuse covers. */
  readonly inexcusable: readonly RequestRecord[];
  /** Certificates that were never valid for the host that was asked for, or not yet. */
  readonly wrong: readonly RequestRecord[];
  readonly slowestMs: number;
}

/** A certificate and the moment before which nobody can have it. */
export interface ValidFrom {
  readonly fingerprint: string;
  readonly fromMs: number;
}

/** Judges all requests that were under way between the beginning and the end of a fault. */
export function judge(
  records: readonly RequestRecord[],
  about: { readonly moments: Moments; readonly excuse: Excuse; readonly issued: ReadonlyMap<string, readonly ValidFrom[]> },
): Verdict {
  const { moments, excuse, issued } = about;
  const during = records.filter(({ s, e }) => e >= moments.beganMs && s <= moments.provedMs);
  const failed = during.filter(({ x }) => x !== undefined);
  const isValid = ({ h, f, e }: RequestRecord): boolean =>
    (issued.get(h) ?? []).some(({ fingerprint, fromMs }) => fingerprint === f && fromMs <= e);
  return {
    requests: during.length,
    failed: failed.length,
    inexcusable: failed.filter((record) => !excuse(record, moments)),
    wrong: during.filter((record) => record.x === undefined && !isValid(record)),
    slowestMs: Math.max(0, ...during.filter(({ x }) => x === undefined).map(({ s, e }) => e - s)),
  };
}
