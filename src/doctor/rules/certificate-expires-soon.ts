import { leafText, spanText } from "../files/certificate-text.ts";
import { expectedLeaves } from "../files/expected-leaves.ts";
import { staleCells } from "../files/renewals.ts";
import { groupAlike, servedCells, type ServedCell, type ServedGroup } from "../files/served-cells.ts";
import type { FindingDraft, Severity } from "../finding.ts";
import { nameSome } from "../name-some.ts";
import type { Rule } from "../rule.ts";
import type { View } from "../view.ts";
import { checkFindings, plural, probeOf } from "../wire/groups.ts";

const DAY_MS = 86_400_000;
const WARNING_DAYS = 14;
const ERROR_DAYS = 3;

/** A certificate that nobody renewed in time. */
export const certificateExpiresSoon: Rule = {
  code: "certificate-expires-soon",
  title: "A certificate ends soon and has no successor",
  severity: "warning",
  tier: "host",
  source: "https://www.rfc-editor.org/rfc/rfc5280#section-4.1.2.5",
  explains:
    "The certificate ends within 14 days (an error within 3), and neither its file nor another node has a newer one. Certificates that live for weeks only count as late in the last third of their life.",
  remedy: "Renew it now, and find out why the automatic renewal did not: its log, its schedule, the challenge it has to answer.",
  check(view) {
    const { at } = view.examination;
    const renewed = new Set(staleCells(view).map(({ cell }) => cell));
    const soon = servedCells(view).filter(
      (found) => severityOf(found, at) !== undefined && !renewed.has(found.cell) && !hasSuccessor(view, found),
    );
    return checkFindings(
      view,
      groupAlike(view, soon, (found) => severityOf(found, at) ?? "").map((group) => draft(view, group)),
    );
  },
};

function severityOf({ served: { notBefore, notAfter } }: ServedCell, at: number): Severity | undefined {
  const left = notAfter - at;
  const life = notAfter - notBefore;
  if (left < 0 || left > Math.min(WARNING_DAYS * DAY_MS, life / 3)) return undefined;
  return left <= Math.min(ERROR_DAYS * DAY_MS, life / 10) ? "error" : "warning";
}

/** Another node serves, or the file holds, a certificate for the host that lasts longer. */
function hasSuccessor(view: View, { cell, served }: ServedCell): boolean {
  const node = view.nodes.find(({ name }) => name === cell.node);
  const expected = node === undefined ? undefined : expectedLeaves(view, node, cell.host);
  if (expected?.leaves.some(({ notAfter }) => notAfter > served.notAfter + DAY_MS) === true) return true;
  return view
    .cellsFor(cell.host)
    .some(({ probes }) => probes.sni?.outcome.kind === "served" && probes.sni.outcome.notAfter > served.notAfter + DAY_MS);
}

function draft(view: View, group: ServedGroup): FindingDraft {
  const { hosts, nodes, first: found } = group;
  const ends = found.served.notAfter;
  const what = nameSome(hosts);
  return {
    summary: `The ${plural(hosts, "certificate", "certificates")} of ${what} ${plural(hosts, "ends", "end")} in ${spanText(ends - view.examination.at)}`,
    nodes,
    hosts,
    proof: [
      { text: leafText(found.served), source: probeOf(found.cell) },
      { text: "no node that was looked at has a newer one", source: `probes of ${nameSome(view.nodes.map(({ name }) => name))}` },
    ],
    remedy: `Renew the ${plural(hosts, "certificate", "certificates")} of ${what}.`,
    effect: "New connections get the new certificate.",
    actions: [{ do: "manual", text: `Renew the certificate of ${what} and copy the new file over the old one` }],
    explains: [],
    certainty: "certain",
    severity: severityOf(found, view.examination.at) ?? "warning",
  };
}
