import type { NodeEvidence } from "../evidence.ts";
import type { ExaminedNode } from "../examination.ts";
import type { CellRef, Symptom } from "../finding.ts";
import type { View } from "../view.ts";
import { bindingsFor } from "./bound-hosts.ts";
import { isUnserved, refsOf } from "./central-symptoms.ts";
import { bindingPort } from "./table-rows.ts";

/**
 * Symptoms that a node's configuration explains: hosts that its own bindings do not name. Where they are not known, every handshake
 * without a certificate and every request that failed counts with `any-trouble`, and none otherwise.
 */
export function hostsUnknownTo(
  view: View,
  { node, evidence }: { readonly node: ExaminedNode; readonly evidence: NodeEvidence },
  otherwise: "any-trouble" | "none",
): readonly CellRef[] {
  const { bindings } = evidence;
  const symptoms = view.symptomsOf(node.name).filter((symptom) => {
    if (!fitsConfiguration(view, symptom)) return false;
    if (bindings === undefined) return otherwise === "any-trouble";
    const bound = bindingsFor(bindings, symptom.host, bindingPort(evidence, symptom.endpoint)).length > 0;
    return !bound || (otherwise === "any-trouble" && symptom.kind === "request-failed");
  });
  return refsOf(symptoms);
}

function fitsConfiguration(view: View, symptom: Symptom): boolean {
  const outcome = view.cellOf(symptom)?.probes.sni?.outcome;
  if (outcome === undefined) return false;
  return outcome.kind === "served" ? symptom.kind === "wrong-name" || symptom.kind === "request-failed" : isUnserved(outcome);
}
