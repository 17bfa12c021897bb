import type { Cell } from "../examination.ts";
import type { ProbeOutcome } from "../observation.ts";
import type { View } from "../view.ts";
import { connectionCause, type WireCause } from "./cause-of.ts";
import type { EndpointFacts } from "./endpoint-facts.ts";
import { covers, outcomeOf, servedOf } from "./served.ts";

/** The cause of an ill cell of a balancer whose nodes all serve the host; undefined when the wire does not tell. */
export function balancerCauseOf(cell: Cell, facts: EndpointFacts, view: View): WireCause | undefined {
  const outcome = outcomeOf(cell);
  if (outcome === undefined || (cell.samples ?? []).some((sample) => sample.outcome.kind === "served" && outcome.kind !== "served"))
    return undefined;
  const connection = connectionCause(outcome);
  if (connection !== undefined) return facts.connects ? "balancer-fails" : connection;
  const behind = view.cellsFor(cell.host);
  if (outcome.kind === "served") {
    if (covers(outcome, cell.host) && behind.some((node) => servedOf(node)?.sha256 === outcome.sha256)) return undefined;
    return !covers(outcome, cell.host) && knownToNodes(view, outcome.sha256) ? "balancer-strips-sni" : "balancer-ends-tls";
  }
  if (facts.serves) return "balancer-fails";
  return unservedCause(outcome, behind);
}

/** A node serves this certificate to someone: with another name, or without one. */
const knownToNodes = (view: View, sha256: string): boolean =>
  view.nodes.some(({ name }) =>
    view.cellsOf(name).some((cell) => [servedOf(cell), servedOf(cell, "no-sni")].some((served) => served?.sha256 === sha256)),
  );

/** Alerts of a server that read octets which are no ClientHello. */
const GARBAGE = new Set(["protocol_version", "unexpected_message", "decode_error", "record_overflow", "illegal_parameter"]);

function unservedCause(outcome: ProbeOutcome, behind: readonly Cell[]): WireCause {
  const bare = behind.flatMap((cell) => outcomeOf(cell, "no-sni") ?? []);
  if (outcome.kind === "error" || (outcome.kind === "alert" && GARBAGE.has(outcome.alert))) return "proxy-protocol-mismatch";
  if (
    bare.some((seen) => seen.kind === outcome.kind && (seen.kind !== "alert" || (outcome.kind === "alert" && seen.alert === outcome.alert)))
  )
    return "balancer-strips-sni";
  if (outcome.kind === "alert" && outcome.alert === "unrecognized_name") return "balancer-strips-sni";
  return bare.length > 0 && bare.every((seen) => seen.kind === "served") && outcome.kind !== "timeout"
    ? "proxy-protocol-mismatch"
    : "balancer-fails";
}
