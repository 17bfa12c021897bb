import type { HostName } from "../base/index.ts";
import type { EvidencePart, NodeEvidence } from "./evidence.ts";
import type { Cell, ExaminedNode, Examination } from "./examination.ts";
import type { CellRef, Symptom } from "./finding.ts";
import { groupBy } from "./group-by.ts";

/** A node with a part of evidence. */
export interface Evident<P extends EvidencePart> {
  readonly node: ExaminedNode;
  readonly evidence: NodeEvidence;
  readonly part: NonNullable<NodeEvidence[P]>;
}

/** An examination as a rule sees it: indexed, with the symptoms that earlier tiers left unexplained. */
export interface View {
  readonly examination: Examination;
  /** Without balancers. */
  readonly nodes: readonly ExaminedNode[];
  readonly balancers: readonly ExaminedNode[];
  /** Unexplained so far, of nodes and balancers. */
  readonly symptoms: readonly Symptom[];
  symptomsOf(node: string): readonly Symptom[];
  /** The first that the node has for this host, on any endpoint. */
  symptom(node: string, host: HostName): Symptom | undefined;
  /** What was observed where a symptom is. */
  cellOf(symptom: Symptom): Cell | undefined;
  /** Whether the cell never had a symptom, explained or not. False when it was not looked at. */
  healthy(node: string, host: HostName): boolean;
  cellsOf(node: string): readonly Cell[];
  /** Cells of nodes, without balancers. */
  cellsFor(host: HostName): readonly Cell[];
  /** Nodes that have this part of evidence. */
  having<P extends EvidencePart>(part: P): readonly Evident<P>[];
  /** Whether this node is meant to serve the host. */
  meant(node: string, host: HostName): boolean;
}

/** A view of an examination; `symptoms` are those that are left. */
export function createView(index: ExaminationIndex, symptoms: readonly Symptom[]): View {
  const left = groupBy(symptoms, ({ node }) => node);
  const first = new Map<string, Symptom>();
  for (const symptom of symptoms) {
    const key = cellKey(symptom);
    if (!first.has(key)) first.set(key, symptom);
  }
  return {
    ...index,
    symptoms,
    symptomsOf: (node) => left.get(node) ?? [],
    symptom: (node, host) => first.get(cellKey({ node, host })),
  };
}

/** What all views of one examination share. */
export type ExaminationIndex = Omit<View, "symptoms" | "symptomsOf" | "symptom">;

/** Indexes an examination once. */
export function indexExamination(examination: Examination, symptoms: readonly Symptom[]): ExaminationIndex {
  const nodes = examination.nodes.filter(({ role }) => role === "node");
  const balancers = examination.nodes.filter(({ role }) => role === "balancer");
  const balancerNames = new Set(balancers.map(({ name }) => name));
  const byNode = groupBy(examination.cells, ({ node }) => node);
  const byHost = groupBy(
    examination.cells.filter(({ node }) => !balancerNames.has(node)),
    ({ host }) => host,
  );
  const looked = new Set(examination.cells.filter(({ probes }) => probes.sni !== undefined).map(cellKey));
  const ill = new Set(symptoms.map(cellKey));
  const illCells = new Map(examination.cells.filter((cell) => ill.has(cellKey(cell))).map((cell) => [endpointKey(cell), cell]));
  const hosts = new Map(examination.hosts.map((host) => [host.name, host]));
  return {
    examination,
    nodes,
    balancers,
    healthy: (node, host) => looked.has(cellKey({ node, host })) && !ill.has(cellKey({ node, host })),
    cellOf: (symptom) => illCells.get(endpointKey(symptom)),
    cellsOf: (node) => byNode.get(node) ?? [],
    cellsFor: (host) => byHost.get(host) ?? [],
    having: (part) =>
      nodes.flatMap((node) => {
        const found = node.evidence?.[part];
        return node.evidence === undefined || found === undefined ? [] : [{ node, evidence: node.evidence, part: found }];
      }),
    meant: (node, host) => hosts.get(host)?.nodes?.includes(node) ?? true,
  };
}

/** A host on a node, as a key; on one endpoint of it. Node names are free text, host names have no blank. */
export const cellKey = ({ node, host }: CellRef): string => `${host} ${node}`;
export const endpointKey = ({ node, host, endpoint }: CellRef): string =>
  endpoint === undefined ? cellKey({ node, host }) : `${endpoint.address} ${endpoint.port} ${host} ${node}`;
