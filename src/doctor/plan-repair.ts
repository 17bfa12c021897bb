import type { HostName, Instant } from "../base/index.ts";
import { rowKeyText } from "../bindings/index.ts";
import type { EvidenceRowKey } from "./evidence.ts";
import type { ExaminedNode, Examination } from "./examination.ts";
import { hash32 } from "./finding-id.ts";
import type { CellRef, Diagnosis, Finding, RepairAction, ResyncPart, SymptomKind } from "./finding.ts";
import { nameSome } from "./name-some.ts";

/** A step that a machine can do. */
export type StepAction = Extract<RepairAction, { do: "add-central-row" | "delete-row" | "resync" }>;

/** One thing to do on one node. */
export interface RepairStep {
  /** `S-` and 8 hexadecimal digits over what is done: the same step has the same id in the next plan. */
  readonly id: string;
  /** Ids of the findings that it cures. */
  readonly findings: readonly string[];
  readonly action: StepAction;
  /** What is done, in the imperative. */
  readonly text: string;
  readonly changes: string;
}

/** What is done on one node while it is drained. */
export interface NodeRepair {
  readonly node: string;
  readonly steps: readonly RepairStep[];
  /** Hosts that the node does not serve right now and should afterwards. */
  readonly mends: readonly HostName[];
}

/** What a repair would do: one node after the other, the sickest first. */
export interface RepairPlan {
  readonly at: Instant;
  readonly findings: readonly Pick<Finding, "id" | "code" | "summary">[];
  readonly nodes: readonly NodeRepair[];
  readonly refused: readonly { readonly node: string; readonly findings: readonly string[]; readonly why: string }[];
  readonly manual: readonly { readonly finding: string; readonly node?: string; readonly text: string }[];
}

/** What to plan for. */
export interface RepairQuestion {
  readonly examination: Examination;
  readonly diagnosis: Diagnosis;
  /** Those of the diagnosis that are to be cured. */
  readonly findings: readonly Finding[];
  /** Nodes that get no connections now: they cannot stand in for another. */
  readonly drained: ReadonlySet<string>;
}

/**
 * Plans the cure. A central row is never deleted. A node that is the last to serve a host is left alone: draining it would take the host
 * away. What was mended earlier in the plan counts as serving: a run stops when it does not.
 */
export function planRepair({ examination, diagnosis, findings, drained }: RepairQuestion): RepairPlan {
  const sorted = sortActions(examination.nodes, findings);
  const serving = servingHosts(examination, diagnosis);
  const nodes: NodeRepair[] = [];
  const refused = [...sorted.refused];
  for (const { node, steps } of bySickness(sorted.steps, serving)) {
    const last = drained.has(node) ? [] : lastServedBy(node, serving, drained);
    const cured = steps.flatMap((step) => step.findings);
    if (last.length > 0) {
      const hosts = nameSome(last);
      refused.push({
        node,
        findings: cured,
        why: `${node} is the last node that serves ${hosts}: draining it would take ${last.length === 1 ? "it" : "them"} away`,
      });
      continue;
    }
    const own = serving.get(node) ?? new Set<HostName>();
    const mends = mendedHosts(node, cured, { findings, own });
    nodes.push({ node, steps, mends });
    serving.set(node, new Set([...own, ...mends]));
  }
  const curing = new Set(nodes.flatMap(({ steps }) => steps.flatMap((step) => step.findings)));
  return {
    at: examination.at,
    findings: findings.filter(({ id }) => curing.has(id)).map(({ id, code, summary }) => ({ id, code, summary })),
    nodes,
    refused,
    manual: sorted.manual,
  };
}

interface Sorted {
  readonly steps: ReadonlyMap<string, readonly RepairStep[]>;
  readonly refused: RepairPlan["refused"];
  readonly manual: RepairPlan["manual"];
}

/** What can be done by node, in the order in which it is done; what cannot, and what only a person can do. */
function sortActions(nodes: readonly ExaminedNode[], findings: readonly Finding[]): Sorted {
  const makes = new Map(nodes.map(({ name, evidence }) => [name, evidence?.make]));
  const steps = new Map<string, Map<string, RepairStep>>();
  const refused: RepairPlan["refused"][number][] = [];
  const manual: RepairPlan["manual"][number][] = [];
  for (const finding of findings) {
    for (const action of finding.actions) {
      const { id } = finding;
      if (action.do === "manual") {
        manual.push({ finding: id, ...(action.node === undefined ? {} : { node: action.node }), text: action.text });
      } else if (action.do === "set-central-store" || makes.get(action.node) !== "certfarm") {
        manual.push({ finding: id, node: action.node, text: byScript(action.node, makes.get(action.node)) });
      } else if (action.do === "delete-row" && isCentral(action.key)) {
        refused.push({ node: action.node, findings: [id], why: `${keyText(action.key)} is a central row: those are never deleted` });
      } else {
        const ofNode = steps.get(action.node) ?? new Map<string, RepairStep>();
        steps.set(action.node, ofNode);
        addStep(ofNode, finding, action);
      }
    }
  }
  const ordered = [...steps].map(
    ([node, ofNode]) => [node, [...ofNode.values()].toSorted((a, b) => rankOf(a.action) - rankOf(b.action))] as const,
  );
  return { steps: new Map(ordered), refused, manual };
}

function byScript(node: string, make: string | undefined): string {
  return make === "iis"
    ? `${node} runs IIS: \`certfarm repair --evidence … --script\` writes the script for it`
    : `${node} is no certfarm node that answered: do on it what the finding says`;
}

const isCentral = ({ kind }: EvidenceRowKey): boolean => kind === "central" || kind === "scoped-central";

/** The same step may cure several findings. */
function addStep(steps: Map<string, RepairStep>, { id: finding, effect }: Finding, action: StepAction): void {
  const id = `S-${hash32(identityOf(action))}`;
  const before = steps.get(id);
  if (before === undefined) steps.set(id, { id, findings: [finding], action, text: textOf(action), changes: effect });
  else if (!before.findings.includes(finding)) steps.set(id, { ...before, findings: [...before.findings, finding] });
}

function identityOf(action: StepAction): string {
  switch (action.do) {
    case "add-central-row":
      return `${action.node} + central:${action.port}`;
    case "delete-row":
      return `${action.node} - ${keyText(action.key)} ${action.row.file ?? action.row.thumbprint ?? ""}`;
    case "resync":
      return `${action.node} ~ ${action.part} ${action.host ?? ""}`;
  }
}

const PARTS: Readonly<Record<ResyncPart, string>> = {
  table: "make the binding table anew from the configuration",
  certificates: "read the certificates again",
  configuration: "take the newest configuration",
  "ticket-keys": "take the ticket keys of the farm",
  listeners: "open the ports that are not open",
};

function textOf(action: StepAction): string {
  switch (action.do) {
    case "add-central-row":
      return `add the central row for port ${action.port}`;
    case "delete-row": {
      const names = action.row.file ?? action.row.thumbprint;
      return `delete the row ${keyText(action.key)}${names === undefined ? "" : ` (${names})`}`;
    }
    case "resync":
      return PARTS[action.part] + (action.host === undefined ? "" : ` of ${action.host}`);
  }
}

/** `ip:10.0.0.4:443`, `scoped-central:www.example.com:443`. */
function keyText(key: EvidenceRowKey): string {
  return key.kind === "scoped-central" ? `scoped-central:${key.host}:${key.port}` : rowKeyText(key);
}

/** What brings something comes before what takes something away. */
function rankOf(action: StepAction): number {
  if (action.do === "add-central-row") return 2;
  if (action.do === "delete-row") return 4;
  return { configuration: 0, certificates: 1, table: 3, listeners: 5, "ticket-keys": 6 }[action.part];
}

/** What clients get although something is not as it should be. */
const SERVED: readonly SymptomKind[] = ["untrusted", "differs", "request-failed"];

/** The hosts that each node serves: looked at, and by a valid certificate for the name on every endpoint. */
function servingHosts({ cells, nodes }: Examination, { symptoms }: Diagnosis): Map<string, ReadonlySet<HostName>> {
  const key = ({ node, host }: CellRef): string => `${host} ${node}`;
  const ill = new Set(symptoms.filter(({ kind }) => !SERVED.includes(kind)).map(key));
  const serving = new Map<string, Set<HostName>>(nodes.filter(({ role }) => role === "node").map(({ name }) => [name, new Set()]));
  for (const cell of cells) if (cell.probes.sni !== undefined && !ill.has(key(cell))) serving.get(cell.node)?.add(cell.host);
  return serving;
}

function lastServedBy(
  node: string,
  serving: ReadonlyMap<string, ReadonlySet<HostName>>,
  drained: ReadonlySet<string>,
): readonly HostName[] {
  const others = [...serving].filter(([name]) => name !== node && !drained.has(name)).map(([, hosts]) => hosts);
  return [...(serving.get(node) ?? [])].filter((host) => !others.some((hosts) => hosts.has(host)));
}

/** Nodes that serve least come first: each one that is mended can stand in for the next. */
function bySickness(
  steps: Sorted["steps"],
  serving: ReadonlyMap<string, ReadonlySet<HostName>>,
): readonly { readonly node: string; readonly steps: readonly RepairStep[] }[] {
  const served = (node: string): number => serving.get(node)?.size ?? 0;
  return [...steps]
    .map(([node, ofNode]) => ({ node, steps: ofNode }))
    .toSorted((a, b) => served(a.node) - served(b.node) || (a.node < b.node ? -1 : 1));
}

function mendedHosts(
  node: string,
  cured: readonly string[],
  { findings, own }: { readonly findings: readonly Finding[]; readonly own: ReadonlySet<HostName> },
): readonly HostName[] {
  const explained = findings.filter(({ id }) => cured.includes(id)).flatMap(({ explains }) => explains);
  return [...new Set(explained.filter((ref) => ref.node === node && !own.has(ref.host)).map(({ host }) => host))];
}
