import type { EvidencePart, NodeEvidence } from "../evidence.ts";
import type { FindingDraft } from "../finding.ts";
import type { RuleResult } from "../rule.ts";
import type { View } from "../view.ts";

const COLLECT = "run the script that `certfarm iis collect` prints on each IIS server, or ask the farm of certfarm nodes";

/** Where a part of evidence comes from, for rules that lack it. */
const WAYS: Readonly<Record<EvidencePart, string>> = {
  table: "binding table: on IIS save `netsh http show sslcert` as NODE/netsh.txt",
  bindings: "bindings: on IIS copy applicationHost.config to NODE/",
  configuration: "configuration: on IIS copy applicationHost.config and redirection.config to NODE/",
  central: `central certificate settings: ${COLLECT}`,
  certificates: `installed certificates: ${COLLECT}`,
  events: `event log: ${COLLECT}`,
  listeners: `listening ports: ${COLLECT}`,
  system: `system facts: ${COLLECT}`,
  addresses: `addresses: ${COLLECT}`,
  clock: `clock: ${COLLECT}`,
  protocols: `TLS versions: ${COLLECT}`,
  refusals: "refusals: ask a farm of certfarm nodes",
  requests: "refused requests: ask a farm of certfarm nodes",
  content: "content: ask a farm of certfarm nodes",
  store: "store reports: ask a farm of certfarm nodes",
  proof: "proofs: ask a farm of certfarm nodes",
  ticketKeys: "ticket keys: ask a farm of certfarm nodes",
};

/** What a rule came to whose findings are these; `part` of evidence of some node was there. */
export const result = (findings: readonly FindingDraft[]): RuleResult =>
  findings.length === 0 ? { status: "passed" } : { status: "found", findings };

/** The answer of a rule for which no node has the evidence: it does not apply to other makes, and could not look otherwise. */
export function withoutEvidence(view: View, part: EvidencePart, makes: readonly NodeEvidence["make"][] = ["iis", "certfarm"]): RuleResult {
  const known = view.nodes.flatMap(({ evidence }) => (evidence === undefined ? [] : [evidence.make]));
  if (known.length > 0 && known.length === view.nodes.length && !known.some((make) => makes.includes(make)))
    return { status: "not-applicable", why: `no node is ${makes.map(makeName).join(" or ")}` };
  return { status: "could-not-look", why: `no node's ${WAYS[part]}` };
}

/** How a make is called in texts. */
export const makeName = (make: NodeEvidence["make"]): string =>
  ({ iis: "IIS", certfarm: "certfarm", nginx: "nginx", haproxy: "HAProxy" })[make];
