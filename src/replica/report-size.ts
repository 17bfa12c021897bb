import type { HostProof, NodeReport } from "./types.ts";

/** Below the store's 512 KiB, with room for what drivers add. */
export const MAX_REPORT_BYTES = 480 * 1024;

const MAX_LIST = 500;
const MAX_TEXT = 500;
const ORDER: readonly HostProof["verdict"][] = ["failed", "pending", "proved"];

/**
 * A report that the store takes: failed hosts first, then pending, then proved, as many as fit (`truncated` says that some did not; the
 * counts stay whole). Other lists are cut at 500 entries or fewer, so that a node with a million hosts or a drifted table can still report.
 */
export function fitReport(report: NodeReport): NodeReport {
  const { proof } = report;
  const lists = cutLists(report);
  const hosts = hostsThatFit(proof.hosts, MAX_REPORT_BYTES - bytesOf(lists));
  return { ...lists, proof: { ...proof, hosts, truncated: proof.truncated || hosts.length < proof.hosts.length } };
}

/** The report without hosts; half of the room is left for those. */
function cutLists(report: NodeReport): NodeReport {
  for (let most = MAX_LIST; ; most = Math.floor(most / 2)) {
    const cut: NodeReport = {
      ...report,
      listeners: report.listeners.slice(0, most).map((listener) => cutProblem(listener)),
      content: report.content.slice(0, most).map((folder) => cutProblem(folder)),
      table: { ...report.table, drift: report.table.drift.slice(0, most).map((line) => line.slice(0, MAX_TEXT)) },
      proof: { ...report.proof, hosts: [] },
    };
    if (most === 0 || bytesOf(cut) <= MAX_REPORT_BYTES / 2) return cut;
  }
}

function hostsThatFit(hosts: readonly HostProof[], budget: number): readonly HostProof[] {
  const kept: HostProof[] = [];
  let left = budget;
  for (const verdict of ORDER) {
    for (const host of hosts) {
      if (host.verdict !== verdict) continue;
      const cut = cutProblem(host);
      left -= bytesOf(cut) + 1;
      if (left < 0) return kept;
      kept.push(cut);
    }
  }
  return kept;
}

function cutProblem<T extends { readonly problem?: string }>(item: T): T {
  return item.problem === undefined || item.problem.length <= MAX_TEXT ? item : { ...item, problem: `${item.problem.slice(0, MAX_TEXT)}…` };
}

const bytesOf = (value: unknown): number => Buffer.byteLength(JSON.stringify(value));
