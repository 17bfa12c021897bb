import type { FindingDraft } from "../finding.ts";
import type { Rule } from "../rule.ts";
import type { View } from "../view.ts";

/** A handshake of a slow node takes at least this long, and so many times as long as on its peers. */
const SLOW_MS = 1_000;
const TIMES = 5;
/** Fewer handshakes say little. */
const LEAST = 3;

/** One node takes far longer than the others. */
export const nodeSlow: Rule = {
  code: "node-slow",
  title: "Handshakes on one node take far longer than on the others",
  severity: "warning",
  tier: "wire",
  source: "https://learn.microsoft.com/en-us/windows-server/administration/performance-tuning/role/web-server/",
  explains:
    "The node serves, but a handshake takes more than a second and five times as long as on its peers: the machine is out of CPU or memory, it reads the certificate from a slow share each time, it waits for a revocation check, or the way to it is long.",
  remedy:
    "Look at CPU, memory and disk of that node, and at the time it takes to read a file of the share: `Measure-Command { Get-Content -Encoding Byte \\\\SERVER\\SHARE\\HOST.pfx }`. Dial it from beside: `curl -so /dev/null -w '%{time_connect} %{time_appconnect}' --resolve …`.",
  check: (view) => {
    const timed = view.nodes.map(({ name }) => ({ name, times: timesOf(view, name) })).filter(({ times }) => times.length >= LEAST);
    if (timed.length < 2) return { status: "not-applicable", why: "too few handshakes on too few nodes to compare" };
    const medians = timed.map(({ name, times }) => ({ name, ms: median(times) }));
    const findings = medians.flatMap(({ name, ms }) => {
      const peers = median(medians.filter((other) => other.name !== name).map((other) => other.ms));
      return ms >= SLOW_MS && ms >= TIMES * peers ? [draft(name, ms, peers)] : [];
    });
    return findings.length === 0 ? { status: "passed" } : { status: "found", findings };
  },
};

const timesOf = (view: View, node: string): readonly number[] =>
  view
    .cellsOf(node)
    .flatMap(({ probes, samples = [] }) =>
      [...Object.values(probes), ...samples].flatMap((seen) => (seen.outcome.kind === "served" ? [seen.tookMs] : [])),
    );

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) / 2)] ?? 0;

const draft = (node: string, ms: number, peers: number): FindingDraft => ({
  summary: `A handshake on ${node} takes ${Math.round(ms)} ms, on the other nodes ${Math.round(peers)} ms`,
  nodes: [node],
  hosts: [],
  proof: [
    { text: `median of its handshakes ${Math.round(ms)} ms, of the other nodes ${Math.round(peers)} ms`, source: "probes of all nodes" },
  ],
  remedy: `Look at CPU, memory and disk of ${node}, and dial it from a machine beside it.`,
  effect: "Nothing changes.",
  actions: [{ do: "manual", node, text: "Look at CPU, memory, disk and the share with the certificates" }],
  explains: [],
  certainty: "likely",
  decides: `the same handshake from a machine beside ${node}: fast there, the way to it is slow`,
});
