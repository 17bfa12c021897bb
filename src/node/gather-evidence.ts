import { createHash } from "node:crypto";
import { networkInterfaces } from "node:os";

import { instant, type Clock } from "../base/index.ts";
import { diffTables, rowKeyText, type BindingTable, type Drift, type Row } from "../bindings/index.ts";
import type { CentralCertificates } from "../certificates/index.ts";
import type { NodeReport, RefusedRequests, TicketKeySet } from "../replica/index.ts";
import { selfTestStore, type FarmStore, type SelfTest } from "../store/index.ts";
import type { ReconcilerState } from "./reconciler.ts";
import type { RefusalJournal } from "./refusal-journal.ts";
import type { EvidenceAnswer, StoreTrial } from "./requests.ts";

/** What evidence is gathered from. */
export interface EvidenceSources {
  readonly clock: Clock;
  readonly store: FarmStore;
  readonly reconciler: { readonly state: ReconcilerState };
  readonly journal: RefusalJournal;
  readonly certificates: Pick<CentralCertificates, "reports">;
  readonly tickets: { current(): TicketKeySet | undefined };
  readonly report: () => NodeReport;
  readonly refusedRequests: () => RefusedRequests;
  /** What a drill makes of the listing. */
  readonly listing?: () => EvidenceAnswer["listing"];
}

// An answer may have 512 KiB: rows and files have some 200 octets each.
const MAX_ROWS = 800;
const MAX_DRIFT = 200;
const MAX_FILES = 600;
const MAX_ADDRESSES = 200;
const MAX_PROBLEM = 500;
const RECENT_MS = 300_000;
const MAX_RECENT = 2_000;
/** Somebody who tries to speak for an admin is news for longer than a client that was turned away. */
const REQUESTS_RECENT_MS = 3_600_000;
const TRIAL_MS = 3_000;

/** What the node says of itself to the doctor, within a few seconds even when the store hangs. */
export async function gatherEvidence(sources: EvidenceSources): Promise<EvidenceAnswer> {
  const { clock, reconciler, certificates, tickets } = sources;
  const selfTest = await tryStore(sources.store, clock);
  const { table, applied } = reconciler.state;
  const drift = applied === undefined ? [] : diffTables(applied.desired.table, table, applied.desired.hostKeys);
  const keys = tickets.current();
  const listing = sources.listing?.();
  const { proof, ...report } = sources.report();
  const { proved, failed, pending } = proof;
  return {
    now: clock.now(),
    report: { ...report, proof: { proved, failed, pending } },
    rows: firstRows(table, drift),
    drift: drift.slice(0, MAX_DRIFT).map((one) => ({ ...one, shadows: one.shadows.slice(0, 3) })),
    files: certificates
      .reports(MAX_FILES)
      .map((file) => (file.problem === undefined ? file : { ...file, problem: file.problem.slice(0, MAX_PROBLEM) })),
    recentRefusals: recentRefusals(sources),
    selfTest,
    ...refusedRequests(sources),
    ...(keys === undefined ? {} : { ticketKeys: fingerprint(keys) }),
    addresses: ownAddresses(),
    ...(listing === undefined ? {} : { listing }),
  };
}

/** Rows by name are many and harm one name each: the others come first, and those that differ from the configuration. */
function firstRows({ rows }: BindingTable, drift: readonly Drift[]): readonly Row[] {
  if (rows.length <= MAX_ROWS) return rows;
  const differing = new Set(drift.map(({ key }) => rowKeyText(key)));
  const first = new Set(rows.filter(({ key }) => key.kind !== "host" || differing.has(rowKeyText(key))));
  return [...first, ...rows.filter((row) => !first.has(row))].slice(0, MAX_ROWS);
}

function recentRefusals({ clock, journal }: EvidenceSources): EvidenceAnswer["recentRefusals"] {
  const since = instant(clock.now() - RECENT_MS);
  const { total } = journal.totals();
  const counts = new Map<string, number>();
  for (const { at, reason } of journal.after(Math.max(0, total - MAX_RECENT), MAX_RECENT).entries) {
    if (at >= since) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  }
  return { since, byReason: Object.fromEntries(counts) };
}

/** Of those that are kept: they are few, and the total tells when there were more. */
function refusedRequests(sources: EvidenceSources): Pick<EvidenceAnswer, "refusedRequests"> {
  const { total, last } = sources.refusedRequests();
  if (total === 0) return {};
  const since = instant(sources.clock.now() - REQUESTS_RECENT_MS);
  const recent = last.filter(({ at }) => at >= since);
  const counts = new Map<string, number>();
  for (const { reason } of recent) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  const problem = recent.at(-1)?.problem.slice(0, MAX_PROBLEM);
  const told = { since, byReason: Object.fromEntries(counts), ...(problem === undefined ? {} : { last: problem }) };
  return { refusedRequests: { total, recent: told } };
}

/** A store that hangs has failed its trial; what the trial left behind is removed when it answers again. */
async function tryStore(store: FarmStore, clock: Clock): Promise<StoreTrial> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, TRIAL_MS, undefined);
  });
  try {
    const test = await Promise.race([selfTestStore(store, clock), late]);
    return test === undefined ? { kind: "failed", step: "write", message: `no answer within ${TRIAL_MS} ms` } : trialOf(test);
  } finally {
    clearTimeout(timer);
  }
}

function trialOf({ ok, error, writeMs, readMs, removeMs }: SelfTest): StoreTrial {
  if (ok) return { kind: "passed", tookMs: Math.round((writeMs ?? 0) + (readMs ?? 0) + (removeMs ?? 0)) };
  const step = writeMs === undefined ? "write" : readMs === undefined ? "read" : removeMs === undefined ? "remove" : "compare";
  return { kind: "failed", step, message: error?.message.slice(0, MAX_PROBLEM) ?? "no reason was given" };
}

/** The ids name the keys; the digest of the secrets under a label of its own tells whether they are the same, and nothing else. */
function fingerprint({ current, previous, next }: TicketKeySet): string {
  const digest = createHash("sha256").update("certfarm ticket keys fingerprint");
  for (const key of [current, previous, next]) digest.update(key === undefined ? "-" : key.id).update(key?.secret ?? "-");
  return digest.digest("hex").slice(0, 16);
}

function ownAddresses(): readonly string[] {
  return Object.values(networkInterfaces())
    .flatMap((addresses) => addresses?.map(({ address }) => address.replace(/%.*$/, "")) ?? [])
    .slice(0, MAX_ADDRESSES);
}
