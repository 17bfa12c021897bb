import { formatEndpoint, type HostName } from "../../base/index.ts";
import type { Cell } from "../examination.ts";
import type { CellRef, FindingDraft, Proof } from "../finding.ts";
import { nameSome } from "../name-some.ts";
import type { RuleResult } from "../rule.ts";
import { describeOutcome } from "../symptoms.ts";
import { endpointKey, type View } from "../view.ts";
import type { WireCause } from "./cause-of.ts";
import { groupBy } from "../group-by.ts";
import { outcomeOf } from "./served.ts";
import { suspectsOf } from "./suspects.ts";

/** Cells that one finding speaks of. */
export interface Group {
  readonly nodes: readonly string[];
  readonly hosts: readonly HostName[];
  readonly cells: readonly [Cell, ...Cell[]];
  /** Whether nodes that were dialled for these hosts are not concerned. */
  readonly differs: boolean;
  /** Several nodes were dialled for these hosts, and all are concerned. */
  readonly everyNode: boolean;
}

/** What a rule about one cause comes to: a finding for each group of its cells. */
export const checkGroups = (view: View, groups: readonly Group[], draft: (group: Group) => FindingDraft): RuleResult =>
  checkFindings(view, groups.map(draft));

/** What a rule that looks at probes comes to. */
export function checkFindings(view: View, findings: readonly FindingDraft[]): RuleResult {
  if (findings.length > 0) return { status: "found", findings };
  return view.examination.cells.length === 0 ? { status: "could-not-look", why: "no node was dialled" } : { status: "passed" };
}

const cellsOf = (view: View, cause: WireCause): readonly Cell[] =>
  suspectsOf(view).flatMap((suspect) => (suspect.cause === cause ? [suspect.cell] : []));

/** The cells of a cause that concerns nodes as a whole: a group for each node, or one for all when every node is concerned. */
export function groupsByNode(view: View, cause: WireCause): readonly Group[] {
  const cells = cellsOf(view, cause);
  const perNode = groupBy(cells, ({ node }) => node);
  const dialled = view.nodes.filter(({ name }) => view.cellsOf(name).length > 0);
  const all = dialled.length > 1 && dialled.every(({ name }) => perNode.has(name));
  return (all ? [cells] : [...perNode.values()]).flatMap((group) => groupOf(view, group));
}

/** The cells of a cause that concerns names: hosts for which the same nodes are concerned are one group. */
export function groupsByHosts(view: View, cause: WireCause): readonly Group[] {
  const perHost = [...groupBy(cellsOf(view, cause), ({ host }) => host).values()];
  return [...groupBy(perHost, (cells) => cells.map(({ node }) => node).join(" ")).values()].flatMap((group) => groupOf(view, group.flat()));
}

/** A group of these cells; none of no cells. */
export function groupOf(view: View, cells: readonly Cell[]): readonly Group[] {
  const [first, ...rest] = cells;
  if (first === undefined) return [];
  const nodes = [...new Set(cells.map(({ node }) => node))];
  const hosts = [...new Set(cells.map(({ host }) => host))];
  const differs = hosts.some((host) => view.cellsFor(host).some(({ node }) => !nodes.includes(node)));
  return [{ nodes, hosts, cells: [first, ...rest], differs, everyNode: !differs && nodes.length > 1 }];
}

/** The cells as references. */
export const refsOf = (cells: readonly Cell[]): readonly CellRef[] => cells.map(({ node, host, endpoint }) => ({ node, host, endpoint }));

/** Those of the cells that still have a symptom. */
export const illRefs = (view: View, cells: readonly Cell[]): readonly CellRef[] => {
  const left = new Set(view.symptoms.map(endpointKey));
  return refsOf(cells.filter((cell) => left.has(endpointKey(cell))));
};

/** `probe of web2 for www.example.com`. */
export const probeOf = ({ node, host }: Cell): string => `probe of ${node} for ${host}`;

/** How the handshakes with SNI of these cells ended. */
export function seenProof({ cells, hosts }: Group): Proof {
  const texts = new Set(cells.map((cell) => describeOutcome(outcomeOf(cell) ?? { kind: "closed" })));
  return { text: `${nameSome(hosts)}: ${nameSome([...texts], 2)}`, source: probeOf(cells[0]) };
}

/** What is wrong with these cells, in the words of their symptoms. */
export function symptomProof(view: View, group: Group): Proof {
  const keys = new Set(group.cells.map(endpointKey));
  const nodes = group.nodes.flatMap((node) => view.symptomsOf(node));
  const texts = new Set(nodes.filter((symptom) => keys.has(endpointKey(symptom))).map(({ text }) => text));
  return texts.size === 0
    ? seenProof(group)
    : { text: `${nameSome(group.hosts)}: ${nameSome([...texts], 2)}`, source: probeOf(group.cells[0]) };
}

/** That other nodes serve the same hosts well; nothing when none does. */
export function peersProof(view: View, { nodes, hosts }: Group): readonly Proof[] {
  const peers = view.nodes
    .filter(({ name }) => !nodes.includes(name) && hosts.some((host) => view.healthy(name, host)))
    .map(({ name }) => name);
  const [host] = hosts;
  if (peers.length === 0 || host === undefined) return [];
  return [
    {
      text: `${nameSome(peers)} ${peers.length === 1 ? "serves" : "serve"} ${hosts.length === 1 ? host : "them"} well`,
      source: `probe of ${peers[0] ?? ""}`,
    },
  ];
}

/** What another kind of probe came to on the first of these cells that has it. */
export function kindProof({ cells }: Group, kind: Parameters<typeof outcomeOf>[1] & string, label: string): readonly Proof[] {
  for (const cell of cells) {
    const outcome = outcomeOf(cell, kind);
    if (outcome !== undefined) return [{ text: `${label}: ${describeOutcome(outcome)}`, source: probeOf(cell) }];
  }
  return [];
}

/** `10.0.0.2:443`, or several. */
export const endpointsText = ({ cells }: Group): string => nameSome([...new Set(cells.map(({ endpoint }) => formatEndpoint(endpoint)))]);

/** A verb for one node or several: `plural(nodes, "resets", "reset")`. */
export const plural = (items: readonly unknown[], one: string, many: string): string => (items.length === 1 ? one : many);
