import type { HostName } from "../base/index.ts";
import type { FindingDraft, Symptom } from "./finding.ts";
import { nameSome } from "./name-some.ts";

/** Findings about one node; what fails in yet other ways is one more. */
const MOST = 10;

/** What no rule explained, one finding for all cells of a node that fail alike. */
export function unexplained(symptoms: readonly Symptom[]): readonly FindingDraft[] {
  const nodes = new Map<string, Map<string, Symptom[]>>();
  for (const symptom of symptoms) {
    const groups = nodes.get(symptom.node) ?? new Map<string, Symptom[]>();
    nodes.set(symptom.node, groups);
    const own = wayOf(symptom);
    const way = groups.has(own) || groups.size < MOST ? own : "";
    const group = groups.get(way);
    if (group === undefined) groups.set(way, [symptom]);
    else group.push(symptom);
  }
  return [...nodes].flatMap(([node, groups]) => [...groups].map(([way, group]) => draft(node, way, group)));
}

/** Cells that get no certificate differ by how; what is wrong with a certificate or a request is told by its kind. */
const wayOf = ({ kind, text }: Symptom): string => (kind === "no-handshake" || kind === "no-connection" ? `${kind} ${text}` : kind);

function draft(node: string, way: string, group: readonly Symptom[]): FindingDraft {
  const [first] = group;
  const hosts: readonly HostName[] = [...new Set(group.map(({ host }) => host))];
  const text = `${first?.text ?? ""}${way === "" ? ", and others in other ways" : ""}`;
  return {
    summary: `${node}: ${nameSome(hosts)}: ${text}`,
    nodes: [node],
    hosts,
    proof: [{ text, source: `probe of ${node} for ${first?.host ?? ""}` }],
    remedy: "Collect evidence from this node (`certfarm iis collect` on IIS) and run the doctor again; what is known is above.",
    effect: "Nothing changes.",
    actions: [],
    explains: group.map(({ host, endpoint }) => ({ node, host, endpoint })),
    certainty: "likely",
    decides: "the node's own evidence: its binding table, its central certificates and its event log",
  };
}
