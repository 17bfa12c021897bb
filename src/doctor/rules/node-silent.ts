import type { FindingDraft } from "../finding.ts";
import { refsOf } from "../node/central-symptoms.ts";
import { hostsOf } from "../node/host-texts.ts";
import { silentNodes, type SilentNode } from "../node/silent-nodes.ts";
import { result } from "../node/rule-results.ts";
import type { Rule } from "../rule.ts";
import { shorten } from "../shorten.ts";
import type { View } from "../view.ts";

/** The process is gone, the machine is, or it is cut off. */
export const nodeSilent: Rule = {
  code: "node-silent",
  title: "A node tells nothing of itself",
  severity: "error",
  tier: "node",
  source: "docs/vocabulary.md",
  explains:
    "A certfarm node answers questions and reports every few seconds over the store. One that does neither was stopped, has crashed or hangs, or cannot reach the store. The balancer sends it no connections once its proofs run out.",
  remedy:
    "See whether the process runs on that machine, and what its log says last; start it: `certfarm node`. When it runs, see that it reaches the store.",
  check(view) {
    const silent = silentNodes(view);
    const certfarm = view.nodes.some(({ evidence }) => evidence?.make === "certfarm");
    if (silent.size === 0 && !certfarm) return { status: "not-applicable", why: "no certfarm node was asked" };
    return result([...silent.values()].map((node) => finding(view, node)));
  },
};

function finding(view: View, { node, gap }: SilentNode): FindingDraft {
  const { name } = node;
  const symptoms = view.symptomsOf(name);
  const cells = view.cellsOf(name);
  const dead = cells.length > 0 && symptoms.length >= cells.length && symptoms.every(({ kind }) => kind === "no-connection");
  const served = cells.filter(({ probes }) => probes.sni?.outcome.kind === "served").length;
  return {
    summary: dead ? `${name} is down: it tells nothing of itself and takes no connections` : `${name} tells nothing of itself`,
    nodes: [name],
    hosts: [],
    proof: [
      { text: shorten(gap.why), source: `node ${name}` },
      ...(cells.length === 0
        ? []
        : [
            {
              text: dead
                ? `${hostsOf(symptoms).length} of ${cells.length} connections failed: ${symptoms[0]?.text ?? ""}`
                : `${served} of ${cells.length} handshakes were served`,
              source: `probe of ${name}`,
            },
          ]),
    ],
    remedy: dead
      ? `Start the node on its machine: certfarm node; its log says why it ended.`
      : `See what the log of ${name} says, and whether it reaches the store.`,
    effect: `${name} takes part again once it proved its hosts.`,
    actions: [{ do: "manual", node: name, text: "start the node, or let it reach the store" }],
    // What is wrong beyond that has another cause.
    explains: refsOf(symptoms.filter(({ kind }) => kind === "no-connection" || kind === "differs")),
    severity: served > 0 ? "warning" : "error",
    ...(dead
      ? { certainty: "certain" }
      : { certainty: "likely", others: ["the store does not carry the question or the answer"], decides: `the log of ${name}` }),
  };
}
