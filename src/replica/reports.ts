import { FarmError, silentLog, toFarmError, type Clock, type Instant, type Log } from "../base/index.ts";
import type { Signing } from "../identity/index.ts";
import type { Entry, FarmStore, Rev } from "../store/index.ts";
import { isConflict } from "./error-kinds.ts";
import { follow, restMs } from "./follow.ts";
import { removeKey } from "./remove-key.ts";
import { readReport, writeReport, type BelievedReport } from "./report-signing.ts";
import { fitReport } from "./report-size.ts";
import { createStaleness } from "./staleness.ts";
import type { NodeReport } from "./types.ts";

/** A report and how long ago it was written, as far as this process can tell without trusting the node's clock. */
export interface AgedReport {
  readonly report: NodeReport;
  readonly ageMs: number;
}

/** What became of a report. */
export type PublishOutcome =
  | { readonly kind: "published" }
  /** Published, but another process reports under the same node name: two nodes are named alike. */
  | { readonly kind: "contested"; readonly problem: string; readonly pid: number; readonly startedAt: Instant }
  /** The store has not taken a report since then. */
  | { readonly kind: "stale"; readonly since: Instant; readonly problem: string };

/** What the nodes say of themselves. */
export interface Reports {
  /** Overwrites this node's report. Never throws for the store: call it again later. The log is told of what is not `published`, once. */
  publish(report: NodeReport): Promise<PublishOutcome>;
  /** undefined = the node never reported. @throws REPORT_REFUSED in a farm with identities, and the store's errors */
  read(node: string): Promise<AgedReport | undefined>;
  /** Every readable report by node name; a damaged or refused one is told to the log. Throws the store's errors. */
  all(): Promise<readonly AgedReport[]>;
  /** Reports that the last `all` left out because nobody believes them, a sentence each. */
  refused(): readonly string[];
  /** Forgets a node that is no more. */
  remove(node: string): Promise<void>;
  /** All reports now, and again after each change. Never throws; ends on abort. */
  watch(signal: AbortSignal): AsyncIterable<readonly AgedReport[]>;
}

const PREFIX = "nodes";
const RESYNC_MS = 5_000;
const MAX_TRIES = 5;
const MAX_SEEN = 1_000;

/** What reports are read and written with. */
export interface ReportsSettings {
  readonly clock: Clock;
  readonly log?: Log;
  /** With it reports are signed, and only what its node signed is believed. */
  readonly signing?: Signing | undefined;
}

/** Reports as state keys `nodes/<name>`, overwritten in place by compare-and-set. */
export function createReports(store: FarmStore, settings: ReportsSettings): Reports {
  const { clock, log = silentLog, signing } = settings;
  const { state } = store;
  const agedOf = createReader(clock, signing);
  const publish = createPublisher(store, { clock, log, signing });
  let refused: readonly string[] = [];

  async function all(): Promise<readonly AgedReport[]> {
    const found: AgedReport[] = [];
    const left: string[] = [];
    for (const entry of await state.list(PREFIX)) {
      try {
        found.push(agedOf(entry));
      } catch (thrown) {
        const { code, message } = toFarmError(thrown);
        if (code === "REPORT_REFUSED") left.push(message);
        // A refused one stays until its node writes the next: told once.
        if (!refused.includes(message)) log.warn("a node's report cannot be read", { key: entry.key, problem: message });
      }
    }
    refused = left.slice(0, MAX_SEEN);
    return found.sort((one, other) => (one.report.node < other.report.node ? -1 : 1));
  }

  return {
    publish,
    all,
    refused: () => refused,
    async read(node) {
      const entry = await state.read(`${PREFIX}/${node}`);
      return entry === undefined ? undefined : agedOf(entry);
    },
    remove: (node) => removeKey(state, `${PREFIX}/${node}`),
    watch: (signal) =>
      follow({ look: all, hints: [(stop) => state.watch(PREFIX, { signal: stop })], everyMs: restMs(state, RESYNC_MS), signal }),
  };
}

type Publishing = Required<Pick<ReportsSettings, "clock" | "log">> & Pick<ReportsSettings, "signing">;

function createPublisher(store: FarmStore, { clock, log, signing }: Publishing): Reports["publish"] {
  let own: { readonly key: string; readonly rev: Rev } | undefined;
  const staleness = createStaleness("report", { clock, log });
  let rival: number | undefined;

  async function write(report: NodeReport): Promise<PublishOutcome> {
    const key = `${PREFIX}/${report.node}`;
    const value = writeReport(signing, fitReport(report));
    // The first report of a process replaces whatever the one before it left.
    const isFirst = own?.key !== key;
    let expect = isFirst ? (await store.state.read(key))?.rev : own?.rev;
    let outcome: PublishOutcome = { kind: "published" };
    for (let tries = 0; ; tries += 1) {
      try {
        own = { key, rev: await store.state.write(key, value, expect) };
        return outcome;
      } catch (error) {
        if (!isConflict(error) || tries === MAX_TRIES) throw error;
        const entry = await store.state.read(key);
        expect = entry?.rev;
        outcome = entry === undefined ? outcome : (rivalIn(entry, report, signing) ?? outcome);
      }
    }
  }

  /** Told once for each other process: its reports come every few seconds. */
  function tellRival(outcome: PublishOutcome): void {
    if (outcome.kind === "contested" && outcome.pid !== rival) log.error("two nodes have one name", { problem: outcome.problem });
    if (outcome.kind === "contested") rival = outcome.pid;
  }

  return async (report) => {
    try {
      const outcome = await write(report);
      staleness.answered();
      tellRival(outcome);
      return outcome;
    } catch (thrown) {
      own = undefined; // what the key holds now is not known
      if (!(thrown instanceof FarmError)) throw thrown;
      staleness.failed(thrown);
      return { kind: "stale", since: staleness.since() ?? clock.now(), problem: thrown.message };
    }
  };
}

function rivalIn(entry: Entry, mine: NodeReport, signing: Signing | undefined): PublishOutcome | undefined {
  try {
    const { pid, startedAt, node } = readReport(signing, entry).report;
    if (pid === mine.pid && startedAt === mine.startedAt) return undefined;
    const problem = `another process (${pid}, started ${new Date(startedAt).toISOString()}) reports as ${node} too: two nodes have one name`;
    return { kind: "contested", problem, pid, startedAt };
  } catch {
    return undefined; // a damaged or forged report is overwritten
  }
}

/**
 * Reads each version of a report once. Ages are by this process's own clock, from the moment it saw a report change; only the first sight of
 * a node trusts the node's clock.
 */
function createReader(clock: Clock, signing: Signing | undefined): (entry: Entry) => AgedReport {
  const seen = new Map<string, { readonly rev: Rev; readonly bornMs: number } & BelievedReport>();
  return (entry) => {
    const now = clock.monotonicMs();
    const before = seen.get(entry.key);
    const isRevoked = before?.serial !== undefined && signing?.revoked.has(before.serial) === true;
    if (before?.rev === entry.rev && !isRevoked) return { report: before.report, ageMs: now - before.bornMs };
    const believed = readReport(signing, entry, before?.issuedAt);
    const { report } = believed;
    const ageMs = before === undefined ? Math.max(0, clock.now() - report.at) : 0;
    seen.delete(entry.key);
    seen.set(entry.key, { rev: entry.rev, bornMs: now - ageMs, ...believed });
    // The one that changed longest ago: most likely a node that is no more.
    if (seen.size > MAX_SEEN) seen.delete(seen.keys().next().value ?? entry.key);
    return { report, ageMs };
  };
}
