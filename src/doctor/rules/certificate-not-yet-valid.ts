import { dayText, spanText } from "../files/certificate-text.ts";
import { groupAlike, illAndDiffering, servedCells, type ServedGroup } from "../files/served-cells.ts";
import type { FindingDraft } from "../finding.ts";
import { nameSome } from "../name-some.ts";
import type { Rule } from "../rule.ts";
import type { View } from "../view.ts";
import { checkFindings, peersProof, plural, probeOf } from "../wire/groups.ts";

/** The certificate that is served begins later. */
export const certificateNotYetValid: Rule = {
  code: "certificate-not-yet-valid",
  title: "A certificate is served that is not valid yet",
  severity: "error",
  tier: "host",
  source: "https://www.rfc-editor.org/rfc/rfc5280#section-4.1.2.5",
  explains:
    "The certificate's validity begins in the future: it was put into place too early, or a clock is wrong, that of the machine that issued it or that of the machine where the doctor runs.",
  remedy:
    "Look at the clock first (`w32tm /query /status`, `chronyc tracking`). If it is right, put the former certificate back until the new one is valid.",
  check(view) {
    const early = servedCells(view).filter(({ served }) => served.notBefore > view.examination.at);
    return checkFindings(
      view,
      groupAlike(view, early, () => "").map((group) => draft(view, group)),
    );
  },
};

function draft(view: View, group: ServedGroup): FindingDraft {
  const { nodes, hosts, first: found } = group;
  const begins = found.served.notBefore;
  return {
    summary: `${nameSome(nodes)} ${plural(nodes, "serves", "serve")} ${plural(hosts, "a certificate that is", "certificates that are")} not valid yet for ${nameSome(hosts)}`,
    nodes,
    hosts,
    proof: [
      {
        text: `it is valid from ${dayText(begins)} on, in ${spanText(begins - view.examination.at)}`,
        source: probeOf(found.cell),
      },
      ...peersProof(view, group),
    ],
    remedy: "Check the clocks; if they are right, put the former certificate back until the new one is valid.",
    effect: `Clients accept ${nameSome(hosts)} again.`,
    actions: [{ do: "manual", text: "Compare this machine's clock with a time server; then replace the file by one that is valid now" }],
    explains: illAndDiffering(view, group),
    certainty: "certain",
  };
}
