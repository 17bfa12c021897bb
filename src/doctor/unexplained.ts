import type { HostName } from "../base/index.ts";
import type { FindingDraft, Symptom } from "./finding.ts";
import { nameSome } from "./name-some.ts";

/** What no rule explained, one finding for all cells that fail alike. */
export function unexplained(symptoms: readonly Symptom[]): readonly FindingDraft[] {
  const groups = new Map<string, Symptom[]>();
  for (const symptom of symptoms) {
    const key = `${symptom.node} ${symptom.kind} ${symptom.kind === "no-handshake" || symptom.kind === "no-connection" ? symptom.text : ""}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [symptom]);
    else group.push(symptom);
  }
  return [...groups.values()].map(draft);
}

function draft(group: readonly Symptom[]): FindingDraft {
  const [first] = group;
  const node = first?.node ?? "";
  const hosts: readonly HostName[] = [...new Set(group.map(({ host }) => host))];
  return {
    summary: `${node}: ${nameSome(hosts)}: ${first?.text ?? ""}`,
    nodes: [node],
    hosts,
    proof: [{ text: first?.text ?? "", source: `probe of ${node} for ${first?.host ?? ""}` }],
    remedy: "Collect evidence from this node (`certfarm iis collect` on IIS) and run the doctor again; what is known is above.",
    effect: "Nothing changes.",
    actions: [],
    explains: group.map(({ node: name, host }) => ({ node: name, host })),
    certainty: "likely",
    decides: "the node's own evidence: its binding table, its central certificates and its event log",
  };
}
