import { groupAlike, servedCells, type ServedCell, type ServedGroup } from "../files/served-cells.ts";
import type { FindingDraft } from "../finding.ts";
import { nameSome } from "../name-some.ts";
import type { Rule } from "../rule.ts";
import type { View } from "../view.ts";
import { checkFindings, plural, probeOf } from "../wire/groups.ts";

/** Some nodes staple an OCSP response and some do not. */
export const stapleMissing: Rule = {
  code: "staple-missing",
  title: "A node staples no OCSP response, other nodes do",
  severity: "warning",
  tier: "host",
  source: "https://www.rfc-editor.org/rfc/rfc7633",
  explains:
    "For the same certificate other nodes staple an OCSP response. Clients of a certificate with `must staple` refuse the node without one; the others ask the authority themselves, which is slower. " +
    "Mostly the node cannot reach the authority's responder, or on IIS with SNI `EnableOcspStaplingForSni` is not set there.",
  remedy:
    "Open the way to the responder (`certutil -url FILE`, `openssl ocsp`), and on IIS set HKLM\\SYSTEM\\CurrentControlSet\\Control\\SecurityProviders\\SCHANNEL EnableOcspStaplingForSni=1 like on the other nodes.",
  check(view) {
    const asked = servedCells(view).filter(({ served }) => served.stapled !== undefined);
    if (asked.length === 0) return { status: "could-not-look", why: "no OCSP response was asked for" };
    const stapled = new Set(asked.filter(({ served }) => served.stapled === true).map(({ served }) => served.sha256));
    const without = asked.filter(({ served }) => served.stapled === false && stapled.has(served.sha256));
    return checkFindings(
      view,
      groupAlike(view, without, () => "").map((group) => draft(view, group)),
    );
  },
};

function draft(view: View, group: ServedGroup): FindingDraft {
  const { nodes, hosts, first: found } = group;
  const peer = peerOf(view, found);
  return {
    summary: `${nameSome(nodes)} ${plural(nodes, "staples", "staple")} no OCSP response for ${nameSome(hosts)}`,
    nodes,
    hosts,
    proof: [
      { text: "no response was stapled", source: probeOf(found.cell) },
      ...(peer === undefined ? [] : [{ text: `${peer.cell.node} staples one for the same certificate`, source: probeOf(peer.cell) }]),
    ],
    remedy: `See whether ${nameSome(nodes)} can reach the responder of ${found.served.issuer ?? "the authority"}, and whether stapling is on there.`,
    effect: "Clients that insist on a stapled response accept the node.",
    actions: nodes.map((node) => ({
      do: "manual",
      node,
      text: "certutil -url FILE.cer (Windows) or openssl ocsp on that node; compare its stapling settings with another node's",
    })),
    explains: [],
    certainty: "likely",
    others: ["the server fetches the response only after the first handshake, and had none yet"],
    decides: "the same probe again a minute later",
  };
}

const peerOf = (view: View, { served }: ServedCell): ServedCell | undefined =>
  servedCells(view).find((other) => other.served.sha256 === served.sha256 && other.served.stapled === true);
