import type { NodeEvidence } from "../evidence.ts";
import type { Cell, ExaminedNode } from "../examination.ts";
import type { CellRef, Symptom } from "../finding.ts";
import type { ProbeOutcome } from "../observation.ts";
import type { View } from "../view.ts";
import { bindingsFor } from "./bound-hosts.ts";
import { bindingPort, ranksBeforeCentral, rowsFor, servesRow } from "./table-rows.ts";

/** A symptom of a host that the central store should serve. */
export interface CentralSymptom {
  readonly symptom: Symptom;
  readonly port: number;
  /** `unserved`: no certificate at all. `any-row`: that of a row of last rank. `other`: another one, perhaps from an earlier time. */
  readonly how: "unserved" | "any-row" | "other";
}

/**
 * Symptoms of this node's hosts that are bound to central certificates and that no row of higher rank takes away.
 * Where the node's bindings are not known every host counts as bound.
 */
export function centralSymptoms(view: View, { node, evidence }: { node: ExaminedNode; evidence: NodeEvidence }): readonly CentralSymptom[] {
  return view.symptomsOf(node.name).flatMap((symptom) => {
    const cell = view.cellOf(symptom);
    const port = bindingPort(evidence, symptom.endpoint);
    const how = cell === undefined ? undefined : wayOf(cell, evidence);
    return how !== undefined && isCentral(evidence, symptom, port) ? [{ symptom, port, how }] : [];
  });
}

function isCentral({ bindings }: NodeEvidence, { host }: Symptom, port: number): boolean {
  if (bindings === undefined) return true;
  const [first] = bindingsFor(bindings, host, port);
  return first?.central === true;
}

/** No alert, or one that certfarm and OpenSSL send when they have no certificate for the name. */
export const isUnserved = (outcome: ProbeOutcome): boolean =>
  outcome.kind === "reset" ||
  outcome.kind === "closed" ||
  (outcome.kind === "alert" && ["unrecognized_name", "internal_error", "handshake_failure"].includes(outcome.alert));

function wayOf(cell: Cell, evidence: NodeEvidence): CentralSymptom["how"] | undefined {
  const outcome = cell.probes.sni?.outcome;
  if (outcome === undefined) return undefined;
  const rows = rowsFor(evidence, cell.endpoint, cell.host);
  if (rows.some(ranksBeforeCentral)) return undefined;
  if (outcome.kind !== "served") return isUnserved(outcome) ? "unserved" : undefined;
  return rows.some((row) => row.key.kind === "any" && servesRow(outcome, row, evidence)) ? "any-row" : "other";
}

/** Symptoms as the cells that a finding explains. */
export const refsOf = (symptoms: readonly Symptom[]): readonly CellRef[] =>
  symptoms.map(({ node, host, endpoint }) => ({ node, host, endpoint }));

/** What a central store that does not answer explains on a node: no certificate, that of a row of last rank, and with `stale` one of an earlier time. */
export function deadStoreRefs(
  view: View,
  node: { readonly node: ExaminedNode; readonly evidence: NodeEvidence },
  stale: "stale-too" | "none-served" = "none-served",
): readonly CellRef[] {
  return refsOf(
    centralSymptoms(view, node)
      .filter(
        ({ how, symptom }) => how !== "other" || (stale === "stale-too" && (symptom.kind === "differs" || symptom.kind === "validity")),
      )
      .map(({ symptom }) => symptom),
  );
}
