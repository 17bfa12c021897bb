import type { HostProof, NodeReport } from "./types.ts";

/** Below the store's 512 KiB, with room for what drivers add. */
export const MAX_REPORT_BYTES = 480 * 1024;

const MAX_LIST = 500;
const MAX_TEXT = 500;
const ORDER: readonly HostProof["verdict"][] = ["failed", "pending", "proved"];

/**
 * A report that the store takes: failed hosts first, then pending, then proved, as many as fit (`truncated` says that some did not; the
 * counts stay whole). Other lists are cut at 500 entries, so that a node with a million hosts or a drifted table can still report.
 */
export function fitReport(report: NodeReport): NodeReport {
  const { table, proof } = report;
  const lists: NodeReport = {
    ...report,
    listeners: report.listeners.slice(0, MAX_LIST).map((listener) => cutProblem(listener)),
    content: report.content.slice(0, MAX_LIST).map((folder) => cutProblem(folder)),
    table: { ...table, drift: table.drift.slice(0, MAX_LIST).map((line) => line.slice(0, MAX_TEXT)) },
    proof: { ...proof, hosts: [] },
  };
  const hosts = hostsThatFit(proof.hosts, MAX_REPORT_BYTES - bytesOf(lists));
  return { ...lists, proof: { ...proof, hosts, truncated: proof.truncated || hosts.length < proof.hosts.length } };
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
