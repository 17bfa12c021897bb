import type { Instant } from "../base/index.ts";
import type { Gap, NodeEvidence } from "./evidence.ts";
import type { Cell, Examination } from "./examination.ts";
import type { Diagnosis, Finding, RuleOutcome, Symptom, SymptomKind } from "./finding.ts";

/** What the doctor tells: a matrix host × node, and the findings. Text of peers in it is not yet safe to print. */
export interface Report {
  readonly at: Instant;
  readonly nodes: readonly ReportNode[];
  /** In the order of the hosts asked for; the cells of a row are in the order of `nodes`. */
  readonly matrix: readonly { readonly host: string; readonly cells: readonly ReportCell[] }[];
  readonly findings: readonly Finding[];
  readonly rules: readonly RuleOutcome[];
  readonly gaps: readonly Gap[];
}

/** A column of the matrix. */
export interface ReportNode {
  readonly name: string;
  readonly role: "node" | "balancer";
  readonly make?: NodeEvidence["make"];
}

/** One host on one node. */
export interface ReportCell {
  /** `not-looked`: it was not dialled, or is not meant to serve the host. */
  readonly state: "ok" | "not-looked" | SymptomKind;
  /** What is wrong, in a few words; empty when nothing is. */
  readonly text: string;
  /** Of the leaf served: hexadecimal, upper case. */
  readonly thumbprint?: string;
  readonly notAfter?: Instant;
  readonly protocol?: string;
  readonly alpn?: string;
  readonly status?: number;
  readonly tookMs?: number;
  /** Ids of the findings that explain it. */
  readonly explainedBy?: readonly string[];
}

/** The report of an examination. */
export function createReport(examination: Examination, diagnosis: Diagnosis): Report {
  const symptoms = new Map(diagnosis.symptoms.toReversed().map((symptom) => [`${symptom.node} ${symptom.host}`, symptom]));
  const cells = worstCells(examination.cells, symptoms);
  const explanations = explainedBy(diagnosis, examination);
  return {
    at: examination.at,
    nodes: examination.nodes.map(({ name, role, evidence }) => ({
      name,
      role,
      ...(evidence === undefined ? {} : { make: evidence.make }),
    })),
    matrix: examination.hosts.map(({ name: host }) => ({
      host,
      cells: examination.nodes.map(({ name }) => {
        const key = `${name} ${host}`;
        const symptom = symptoms.get(key);
        return reportCell(cells.get(key), symptom, symptom === undefined ? undefined : explanations(name, host));
      }),
    })),
    findings: diagnosis.findings,
    rules: diagnosis.rules,
    gaps: examination.gaps,
  };
}

/** A node may have several endpoints: the one that fails speaks for it. */
function worstCells(cells: readonly Cell[], symptoms: ReadonlyMap<string, Symptom>): ReadonlyMap<string, Cell> {
  const worst = new Map<string, Cell>();
  for (const cell of cells) {
    const key = `${cell.node} ${cell.host}`;
    const before = worst.get(key);
    if (before === undefined || (symptoms.has(key) && before.probes.sni?.outcome.kind === "served")) worst.set(key, cell);
  }
  return worst;
}

/** Findings by cell; a balancer's cells have those that explain their host on a node. */
function explainedBy({ findings }: Diagnosis, { nodes }: Examination): (node: string, host: string) => readonly string[] | undefined {
  const byCell = new Map<string, Set<string>>();
  const byHost = new Map<string, Set<string>>();
  for (const { id, explains } of findings) {
    for (const { node, host } of explains) {
      addTo(byCell, `${node} ${host}`, id);
      addTo(byHost, host, id);
    }
  }
  const balancers = new Set(nodes.filter(({ role }) => role === "balancer").map(({ name }) => name));
  return (node, host) => {
    const ids = byCell.get(`${node} ${host}`) ?? (balancers.has(node) ? byHost.get(host) : undefined);
    return ids === undefined ? undefined : [...ids];
  };
}

function addTo(map: Map<string, Set<string>>, key: string, id: string): void {
  const there = map.get(key);
  if (there === undefined) map.set(key, new Set([id]));
  else there.add(id);
}

const OK = { state: "ok", text: "" } as const;

function reportCell(cell: Cell | undefined, symptom: Symptom | undefined, explained: readonly string[] | undefined): ReportCell {
  const sni = cell?.probes.sni;
  if (cell === undefined || sni === undefined) return { state: "not-looked", text: "" };
  const { outcome, tookMs } = sni;
  return {
    ...(symptom === undefined ? OK : { state: symptom.kind, text: symptom.text }),
    tookMs,
    ...(outcome.kind === "served" ? { thumbprint: outcome.thumbprint, notAfter: outcome.notAfter, protocol: outcome.protocol } : {}),
    ...(outcome.kind === "served" && outcome.alpn !== undefined ? { alpn: outcome.alpn } : {}),
    ...(cell.request?.status === undefined ? {} : { status: cell.request.status }),
    ...(explained === undefined ? {} : { explainedBy: explained }),
  };
}
