import type { FindingDraft } from "../finding.ts";
import { nameSome } from "../name-some.ts";
import { result, withoutEvidence } from "../node/rule-results.ts";
import { timeText } from "../node/time-text.ts";
import type { Rule } from "../rule.ts";
import type { Evident } from "../view.ts";

/** Reasons that lie with the farm. Others come from scanners and broken clients on any public address. */
const OURS = ["no-row", "certificate-unusable", "store-unavailable", "overloaded"] as const;

const TEXTS: Readonly<Record<(typeof OURS)[number], string>> = {
  "no-row": "no row of the table took the connection",
  "certificate-unusable": "the certificate file could not be used",
  "store-unavailable": "the store did not answer",
  overloaded: "too many handshakes at once",
};

/** Clients are turned away right now, for a reason that can be mended. */
export const refusalsGrowing: Rule = {
  code: "refusals-growing",
  title: "A node turns clients away for a reason of its own",
  severity: "notice",
  tier: "node",
  source: "docs/bindings.md",
  explains:
    "The node's journal shows handshakes of the last minutes that were refused although the client did nothing wrong: no row, a certificate that cannot be used, a store that does not answer, or overload. Names that nobody bound and clients without SNI are not counted.",
  remedy:
    "`certfarm refusals --node NODE` shows each with its trail; `certfarm explain HOST --node NODE` shows the selection for one name.",
  yieldsTo: ["central-row-missing", "host-row-missing", "table-drift", "configuration-behind", "configuration-unusable", "store-stale"],
  check(view) {
    const nodes = view.having("refusals").filter(({ part }) => part.recent !== undefined);
    if (nodes.length === 0) return withoutEvidence(view, "refusals", ["certfarm"]);
    return result(nodes.flatMap(findings));
  },
};

function findings({ node: { name }, part: { recent, source, total } }: Evident<"refusals">): readonly FindingDraft[] {
  const counts = OURS.flatMap((reason) => {
    const count = recent?.byReason[reason] ?? 0;
    return count > 0 ? [{ reason, count }] : [];
  });
  if (recent === undefined || counts.length === 0) return [];
  const sum = counts.reduce((all, { count }) => all + count, 0);
  return [
    {
      summary: `${name} refused ${sum} ${sum === 1 ? "handshake" : "handshakes"} since ${timeText(recent.since)} for reasons of its own`,
      nodes: [name],
      hosts: [],
      proof: [
        { text: nameSome(counts.map(({ reason, count }) => `${count} × ${reason} (${TEXTS[reason]})`)), source },
        { text: `${total} refusals since the node started, for any reason`, source },
      ],
      remedy: `See which names: certfarm refusals --node ${name}`,
      effect: "Nothing changes by looking.",
      actions: [],
      explains: [],
      certainty: "certain",
    },
  ];
}
