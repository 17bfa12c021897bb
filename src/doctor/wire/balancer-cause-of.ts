import type { Cell } from "../examination.ts";
import type { ProbeOutcome } from "../observation.ts";
import type { View } from "../view.ts";
import { connectionCause, type WireCause } from "./cause-of.ts";
import { isMixed } from "./connections.ts";
import type { EndpointFacts } from "./endpoint-facts.ts";
import { covers, outcomeOf, type Served } from "./served.ts";

/** What the nodes behind a balancer do when they are dialled directly. */
export interface FactsBehind {
  /** SHA-256 of every leaf that a node serves, to a name or without one. */
  readonly leaves: ReadonlySet<string>;
  /** What clients without SNI get: `served`, `reset`, `alert internal_error`. */
  readonly bare: ReadonlySet<string>;
  /** What clients get that send a PROXY header first. */
  readonly headed: ReadonlySet<string>;
}

function kindOf(outcome: ProbeOutcome): string {
  if (outcome.kind === "alert") return `alert ${outcome.alert}`;
  return outcome.kind === "error" ? `error ${outcome.speaks ?? outcome.code}` : outcome.kind;
}

/** Reads the cells of all nodes once. */
export function factsBehind(view: View): FactsBehind {
  const leaves = new Set<string>();
  const bare = new Set<string>();
  const headed = new Set<string>();
  for (const cell of view.nodes.flatMap(({ name }) => view.cellsOf(name))) {
    const withoutName = outcomeOf(cell, "no-sni");
    for (const outcome of [outcomeOf(cell), withoutName]) if (outcome?.kind === "served") leaves.add(outcome.sha256);
    if (withoutName !== undefined) bare.add(kindOf(withoutName));
    const withHeader = outcomeOf(cell, "proxy-header");
    if (withHeader !== undefined) headed.add(kindOf(withHeader));
  }
  return { leaves, bare, headed };
}

/** The cause of an ill cell of a balancer whose nodes all serve the host; undefined when the wire does not tell. */
export function balancerCauseOf(cell: Cell, facts: EndpointFacts, behind: FactsBehind): WireCause | undefined {
  const outcome = outcomeOf(cell);
  // Some connections end well: that is a server behind it, which has a rule of its own.
  if (outcome === undefined || isMixed(cell) || (facts.mixed && cell.samples === undefined)) return undefined;
  if (outcome.kind === "served") return servedCause(cell, outcome, behind);
  const connection = connectionCause(outcome);
  if (connection !== undefined) return facts.connects ? "balancer-fails" : connection;
  return facts.serves ? "balancer-fails" : unservedCause(outcome, behind);
}

function servedCause(cell: Cell, outcome: Served, { leaves, bare }: FactsBehind): WireCause | undefined {
  const known = leaves.has(outcome.sha256);
  if (!covers(outcome, cell.host)) return known ? "balancer-strips-sni" : "balancer-ends-tls";
  // A balancer that ends TLS has handshakes of its own with the nodes; that they fail shows in the answer to a request.
  if (outcome.verified === true && requestIsBad(cell))
    return [...bare].some((kind) => kind !== "served") && !known ? "balancer-strips-sni" : "balancer-fails";
  return known ? undefined : "balancer-ends-tls";
}

const requestIsBad = ({ request }: Cell): boolean => request !== undefined && (request.status === undefined || request.status >= 500);

/** Alerts of a server that read octets which are no ClientHello. */
const GARBAGE = new Set(["protocol_version", "unexpected_message", "decode_error", "record_overflow", "illegal_parameter"]);

function unservedCause(outcome: ProbeOutcome, { bare, headed }: FactsBehind): WireCause {
  const kind = kindOf(outcome);
  if (headed.has(kind) && !bare.has(kind)) return "proxy-protocol-mismatch";
  if (bare.has(kind) || kind === "alert unrecognized_name") return "balancer-strips-sni";
  if (outcome.kind === "error" || (outcome.kind === "alert" && GARBAGE.has(outcome.alert))) return "proxy-protocol-mismatch";
  return bare.size === 1 && bare.has("served") && outcome.kind !== "timeout" ? "proxy-protocol-mismatch" : "balancer-fails";
}
