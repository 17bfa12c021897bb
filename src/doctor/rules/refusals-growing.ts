import type { FindingDraft } from "../finding.ts";
import { nameSome } from "../name-some.ts";
import { result, withoutEvidence } from "../node/rule-results.ts";
import { timeText } from "../node/time-text.ts";
import type { Rule } from "../rule.ts";
import type { Evident, View } from "../view.ts";

/** Reasons that lie with the farm. Others come from scanners and broken clients on any public address. */
const OURS = ["no-row", "certificate-unusable", "store-unavailable", "overloaded"] as const;

/** Of these nothing is left where every host is served now: the refusals are from before, some of them the doctor's own looks. */
const OVER_WHEN_SERVED = new Set<string>(["no-row", "certificate-unusable"]);

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
    return result(nodes.flatMap((node) => findings(view, node)));
  },
};

function findings(view: View, { node: { name }, part: { recent, source, total } }: Evident<"refusals">): readonly FindingDraft[] {
  const cells = view.cellsOf(name);
  const isServed = cells.length > 0 && cells.every(({ host }) => view.healthy(name, host));
  const counts = OURS.flatMap((reason) => {
    const count = recent?.byReason[reason] ?? 0;
    return count > 0 && !(isServed && OVER_WHEN_SERVED.has(reason)) ? [{ reason, count }] : [];
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
