import { dayText, leafText, spanText } from "../files/certificate-text.ts";
import { expectedLeaves } from "../files/expected-leaves.ts";
import { rereadActions } from "../files/reread-actions.ts";
import { staleCells } from "../files/renewals.ts";
import { groupAlike, illAndDiffering, servedCells, type ServedCell, type ServedGroup } from "../files/served-cells.ts";
import type { FindingDraft, Proof } from "../finding.ts";
import { nameSome } from "../name-some.ts";
import type { Rule } from "../rule.ts";
import type { View } from "../view.ts";
import { checkFindings, plural, probeOf, type Group } from "../wire/groups.ts";
import { covers, servedOf } from "../wire/served.ts";

/** The certificate that is served has ended. */
export const certificateExpired: Rule = {
  code: "certificate-expired",
  title: "An expired certificate is served",
  severity: "error",
  tier: "host",
  source: "https://www.rfc-editor.org/rfc/rfc5280#section-4.1.2.5",
  explains:
    "The certificate ended and every client refuses it. When other nodes serve a valid one, this node has an older file or a certificate of its own; when all nodes serve it, it was not renewed. " +
    "Where a newer file is there already, the finding is stale-certificate.",
  remedy: "Renew the certificate and copy the new file over the old one, on IIS under each of its names.",
  check(view) {
    const { at } = view.examination;
    const stale = new Set(staleCells(view).map(({ cell }) => cell));
    const expired = servedCells(view).filter(({ cell, served }) => served.notAfter < at && !stale.has(cell));
    return checkFindings(
      view,
      groupAlike(view, expired, () => "").map((group) => draft(view, group)),
    );
  },
};

function draft(view: View, group: ServedGroup): FindingDraft {
  const { nodes, hosts, first: found } = group;
  const what = nameSome(hosts);
  const [peer] = validPeers(view, group);
  const peers = [...new Set(validPeers(view, group).map(({ cell }) => cell.node))];
  const file = fileOf(view, found.cell.node, found.cell.host);
  return {
    summary: `${nameSome(nodes)} ${plural(nodes, "serves", "serve")} ${plural(hosts, "an expired certificate", "expired certificates")} for ${what}`,
    nodes,
    hosts,
    proof: [
      {
        text: `${leafText(found.served)}: it ended ${spanText(view.examination.at - found.served.notAfter)} ago`,
        source: probeOf(found.cell),
      },
      ...(file === undefined ? [] : [file]),
      ...(peer === undefined
        ? []
        : [{ text: `${peer.cell.node} serves one that is valid until ${dayText(peer.served.notAfter)}`, source: probeOf(peer.cell) }]),
    ],
    remedy:
      peers.length === 0
        ? `Renew the certificate of ${what} and replace its file.`
        : `Give ${nameSome(nodes)} the certificate that ${nameSome(peers)} ${plural(peers, "serves", "serve")}.`,
    effect: `Clients accept ${what} again.`,
    actions: rereadActions(view, group, ({ reading }) => reading?.status === "ok") ?? [
      {
        do: "manual",
        text:
          peers.length === 0
            ? `Renew the certificate of ${what} and copy the new file over the old one`
            : `Compare the file of ${what} on ${nameSome(nodes)} with that on ${peers[0] ?? ""}, and copy the newer one`,
      },
    ],
    explains: illAndDiffering(view, group),
    certainty: "certain",
  };
}

/** Cells of other nodes that show a valid certificate for a host of the group. */
const validPeers = (view: View, { nodes, hosts }: Group): readonly ServedCell[] =>
  hosts
    .flatMap((host) => view.cellsFor(host))
    .flatMap((cell) => {
      const served = nodes.includes(cell.node) ? undefined : servedOf(cell);
      return served !== undefined && covers(served, cell.host) && served.notAfter >= view.examination.at ? [{ cell, served }] : [];
    });

function fileOf(view: View, name: string, host: Group["hosts"][number]): Proof | undefined {
  const node = view.nodes.find((each) => each.name === name);
  const expected = node === undefined ? undefined : expectedLeaves(view, node, host);
  const leaf = expected?.leaves[0];
  return expected === undefined || leaf === undefined
    ? undefined
    : { text: `${leaf.file} holds ${leafText(leaf)}`, source: expected.source };
}
