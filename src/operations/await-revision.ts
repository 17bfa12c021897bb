import { FarmError } from "../base/index.ts";
import type { AgedReport } from "../replica/index.ts";
import type { FarmView } from "./present-farm.ts";
import { SILENT_MS } from "./status.ts";

/** A node that has not proved a revision yet, and what it lacks. */
export interface Laggard {
  readonly node: string;
  readonly because: string;
}

/** How far a revision has come. */
export interface RolloutProgress {
  readonly revision: number;
  readonly done: number;
  readonly total: number;
  readonly laggards: readonly Laggard[];
}

/** How long to wait, and who is told meanwhile. */
export interface AwaitSettings {
  /** The latest one when absent. */
  readonly revision?: number;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: RolloutProgress) => void;
}

/**
 * Waits until every node of the configuration reports the revision and has proved all its hosts, or until the time is up: the laggards
 * are then named. @throws CANCELLED when the signal aborts, CONFIG_REVISION_ABSENT
 */
export async function awaitRevision(farm: FarmView, settings: AwaitSettings): Promise<RolloutProgress> {
  const { timeoutMs, signal, onProgress } = settings;
  const { latest, config } = await farm.present();
  if (latest === undefined) throw new FarmError("CONFIG_REVISION_ABSENT", "the farm has no revision yet");
  const wanted = settings.revision ?? latest.number;
  const nodes = config?.nodes.map(({ name }) => name) ?? [];
  const until = AbortSignal.any([AbortSignal.timeout(Math.ceil(timeoutMs)), ...(signal === undefined ? [] : [signal])]);
  const tell = createTeller(onProgress);
  let last = progressOf(wanted, nodes, await farm.reports.all());
  tell(last);
  if (last.laggards.length === 0) return last;
  for await (const reports of farm.reports.watch(until)) {
    last = progressOf(wanted, nodes, reports);
    tell(last);
    if (last.laggards.length === 0) return last;
  }
  if (signal?.aborted === true) throw new FarmError("CANCELLED", `waiting for revision ${wanted} was cancelled`);
  return last;
}

/** Tells each state once. */
function createTeller(onProgress: AwaitSettings["onProgress"]): (progress: RolloutProgress) => void {
  let told = "";
  return (progress) => {
    const text = JSON.stringify(progress);
    if (text !== told) onProgress?.(progress);
    told = text;
  };
}

function progressOf(revision: number, nodes: readonly string[], reports: readonly AgedReport[]): RolloutProgress {
  const laggards = nodes.flatMap((node) => {
    const because = lacks(
      revision,
      reports.find(({ report }) => report.node === node),
    );
    return because === undefined ? [] : [{ node, because }];
  });
  return { revision, done: nodes.length - laggards.length, total: nodes.length, laggards };
}

function lacks(revision: number, aged: AgedReport | undefined): string | undefined {
  if (aged === undefined) return "it has never reported";
  const { report, ageMs } = aged;
  if (ageMs > SILENT_MS) return `its last report is ${Math.round(ageMs / 1000)} s old`;
  if (report.revision < revision) return report.revisionProblem ?? `it is at revision ${report.revision}`;
  const { failed, pending, hosts } = report.proof;
  if (failed > 0) {
    const first = hosts.find(({ verdict }) => verdict === "failed");
    return `${failed} ${failed === 1 ? "host" : "hosts"} failed${first === undefined ? "" : `: ${first.host}: ${first.problem ?? first.reason ?? "no reason given"}`}`;
  }
  return pending > 0 ? `${pending} ${pending === 1 ? "host is" : "hosts are"} still to be proved` : undefined;
}
