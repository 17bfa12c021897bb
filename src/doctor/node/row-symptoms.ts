import type { EvidenceRow, NodeEvidence } from "../evidence.ts";
import type { Cell } from "../examination.ts";
import type { Symptom } from "../finding.ts";
import type { Evident, View } from "../view.ts";
import { isUnserved } from "./central-symptoms.ts";
import { rowsFor, rowThumbprint, servesRow } from "./table-rows.ts";

/** What was seen of the rows of one node's table. */
export interface RowSights {
  /** Symptoms that a row in first line explains when it has no usable certificate: none was served. */
  unservedBy(row: EvidenceRow): readonly Symptom[];
  /** Symptoms of connections that came by this row and got its certificate; where that is not known, a wrong name from a row in first line. */
  servedBy(row: EvidenceRow): readonly Symptom[];
  /** A connection for which the row is first in line was served well: it does no harm there. */
  provedGood(row: EvidenceRow): boolean;
  /** Its certificate was served to somebody, rightly or not: it is there, with its key. */
  seenToServe(row: EvidenceRow): boolean;
}

const NONE: readonly Symptom[] = [];

const known = new WeakMap<View, Map<string, RowSights>>();

/** The sights of a node's rows; worked out once for a view. */
export function rowSights(view: View, { node, evidence }: Evident<"table">): RowSights {
  const nodes = known.get(view) ?? new Map<string, RowSights>();
  known.set(view, nodes);
  const sights = nodes.get(node.name) ?? look(view, node.name, evidence);
  nodes.set(node.name, sights);
  return sights;
}

function look(view: View, name: string, evidence: NodeEvidence): RowSights {
  const unserved = new Map<EvidenceRow, Symptom[]>();
  const served = new Map<EvidenceRow, Symptom[]>();
  for (const symptom of view.symptomsOf(name)) {
    const blamed = blamedRow(view, symptom, evidence);
    if (blamed !== undefined) add(blamed.unserved ? unserved : served, blamed.row, symptom);
  }
  const good = new Set<EvidenceRow>();
  for (const cell of view.cellsOf(name)) {
    const first = isServedWell(view, cell) ? rowsFor(evidence, cell.endpoint, cell.host)[0] : undefined;
    if (first !== undefined) good.add(first);
  }
  return {
    unservedBy: (row) => unserved.get(row) ?? NONE,
    servedBy: (row) => served.get(row) ?? NONE,
    provedGood: (row) => good.has(row),
    seenToServe: (row) => good.has(row) || served.has(row),
  };
}

function blamedRow(
  view: View,
  symptom: Symptom,
  evidence: NodeEvidence,
): { readonly row: EvidenceRow; readonly unserved: boolean } | undefined {
  const outcome = view.cellOf(symptom)?.probes.sni?.outcome;
  const rows = rowsFor(evidence, symptom.endpoint, symptom.host);
  const [first] = rows;
  if (outcome === undefined || first === undefined || symptom.kind === "request-failed") return undefined;
  if (outcome.kind !== "served") return isUnserved(outcome) ? { row: first, unserved: true } : undefined;
  const answer =
    rows.find((row) => servesRow(outcome, row, evidence)) ?? (symptom.kind === "wrong-name" ? unknownRow(first, evidence) : undefined);
  return answer === undefined ? undefined : { row: answer, unserved: false };
}

/** A row in first line that names a certificate which is not known. */
const unknownRow = (row: EvidenceRow, evidence: NodeEvidence): EvidenceRow | undefined =>
  row.key.kind !== "central" && rowThumbprint(row, evidence) === undefined ? row : undefined;

const isServedWell = (view: View, { node, host, probes }: Cell): boolean =>
  probes.sni?.outcome.kind === "served" && view.healthy(node, host);

function add(map: Map<EvidenceRow, Symptom[]>, row: EvidenceRow, symptom: Symptom): void {
  const there = map.get(row);
  if (there === undefined) map.set(row, [symptom]);
  else there.push(symptom);
}
