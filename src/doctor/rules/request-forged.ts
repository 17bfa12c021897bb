import type { FindingDraft } from "../finding.ts";
import { nameSome } from "../name-some.ts";
import { result, withoutEvidence } from "../node/rule-results.ts";
import { timeText } from "../node/time-text.ts";
import type { Rule } from "../rule.ts";
import type { Evident } from "../view.ts";

/** Somebody writes requests that no admin of the farm has signed. */
export const requestForged: Rule = {
  code: "request-forged",
  title: "A node was sent requests that nobody who may had signed",
  severity: "warning",
  tier: "node",
  source: "docs/security.md",
  explains:
    "The node refused requests of the last hour: they were not signed, signed by somebody else than an admin of this farm, meant for another node or used a second time. Whoever sent them can write into the store. A command of an older version, or one without an identity, does so without any harm meant; so does an admin whose identity was revoked or has expired.",
  remedy:
    "The proof says what was wrong with them. Join the machine that still works without an identity; if it is none of yours, change the store's passwords and look into its own log for who wrote below `requests/`.",
  check(view) {
    const nodes = view.having("requests");
    if (nodes.length === 0) return withoutEvidence(view, "requests", ["certfarm"]);
    return result(nodes.flatMap(findings));
  },
};

function findings({ node: { name }, part: { recent, source, total } }: Evident<"requests">): readonly FindingDraft[] {
  const counts = Object.entries(recent.byReason).filter(([, count]) => count > 0);
  const sum = counts.reduce((all, [, count]) => all + count, 0);
  if (sum === 0) return [];
  const last = recent.last === undefined ? [] : [{ text: `the last one: ${recent.last}`, source }];
  return [
    {
      summary: `${name} refused ${sum} ${sum === 1 ? "request" : "requests"} since ${timeText(recent.since)} that no admin of the farm signed for it`,
      nodes: [name],
      hosts: [],
      proof: [
        { text: nameSome(counts.map(([reason, count]) => `${count} × ${reason}`)), source },
        ...last,
        { text: `${total} since the node started`, source },
      ],
      remedy: "Find who writes into the store: docs/security.md says what could be done with that.",
      effect: "Nothing changes by looking; none of the requests was carried out.",
      actions: [],
      explains: [],
      certainty: "certain",
    },
  ];
}
