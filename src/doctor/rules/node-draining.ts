import type { FindingDraft } from "../finding.ts";
import { refsOf } from "../node/central-symptoms.ts";
import { result, withoutEvidence } from "../node/rule-results.ts";
import type { Rule } from "../rule.ts";
import type { Evident, View } from "../view.ts";

/** Somebody is at work here, or forgot to say that it is over. */
export const nodeDraining: Rule = {
  code: "node-draining",
  title: "A node is draining",
  severity: "notice",
  tier: "node",
  source: "docs/balancer.md",
  explains:
    "The node was told to let its clients go, as before maintenance or while it stops. It takes no new connections, and the balancer sends it none. A node that is left so is missing when others fail.",
  remedy: "When the work is over: `certfarm undrain NODE`.",
  check(view) {
    const nodes = view.having("system").filter(({ evidence }) => evidence.make === "certfarm");
    if (nodes.length === 0) return withoutEvidence(view, "system", ["certfarm"]);
    return result(nodes.filter(({ part }) => part.draining === true).map((node) => finding(view, node)));
  },
};

function finding(view: View, { node: { name }, part }: Evident<"system">): FindingDraft {
  return {
    summary: `${name} is draining`,
    nodes: [name],
    hosts: [],
    proof: [
      {
        text: `it lets its clients go${part.resources === undefined ? "" : `, ${part.resources.connections} are left`}`,
        source: part.source,
      },
    ],
    remedy: `When the work on it is over: certfarm undrain ${name}`,
    effect: `The balancer sends connections to ${name} again once it proved its hosts.`,
    actions: [],
    explains: refsOf(view.symptomsOf(name).filter(({ kind }) => kind === "no-connection" || kind === "no-handshake")),
    certainty: "certain",
  };
}
