import { dayText } from "../files/certificate-text.ts";
import { groupAlike, illAndDiffering, servedCells, type ServedCell, type ServedGroup } from "../files/served-cells.ts";
import type { FindingDraft } from "../finding.ts";
import { nameSome } from "../name-some.ts";
import type { SeenCertificate } from "../observation.ts";
import type { Rule } from "../rule.ts";
import { shorten } from "../shorten.ts";
import type { View } from "../view.ts";
import { checkFindings, peersProof, plural, probeOf } from "../wire/groups.ts";

/** A certificate of the chain, not the leaf, has ended. */
export const chainExpired: Rule = {
  code: "chain-expired",
  title: "An expired certificate is in the chain that is sent",
  severity: "error",
  tier: "host",
  source: "https://www.rfc-editor.org/rfc/rfc4158",
  explains:
    "The certificate is valid and one of its issuers, as the server sends them, is not. Clients that find another path accept it, others refuse: old OpenSSL, Java and devices among them. " +
    "On Windows an expired cross-signed intermediate in the store of one server is enough, and only that server is concerned.",
  remedy:
    "Windows: delete the expired intermediate (`certutil -store CA`, then `certutil -delstore CA SERIAL`) and import the present one. Elsewhere: write the file anew with the authority's present chain.",
  check(view) {
    const found = servedCells(view).filter((each) => culprit(view, each) !== undefined);
    return checkFindings(
      view,
      groupAlike(view, found, (each) => `${culprit(view, each)?.name ?? ""} ${String(each.served.verified === true)}`).map((group) =>
        draft(view, group),
      ),
    );
  },
};

interface Culprit {
  readonly name: string;
  readonly issuer?: SeenCertificate;
}

/** The issuer that has ended; by its name alone when the chain was not read. */
function culprit({ examination: { at } }: View, { served }: ServedCell): Culprit | undefined {
  const issuer = served.chain?.slice(1).find(({ notAfter }) => notAfter < at);
  if (issuer !== undefined && !(issuer.selfSigned && served.verified === true)) return { name: shorten(issuer.subject), issuer };
  if (served.verified !== "CERT_HAS_EXPIRED" || served.notAfter < at) return undefined;
  return { name: shorten(served.issuer) };
}

function draft(view: View, group: ServedGroup): FindingDraft {
  const { nodes, hosts, first } = group;
  const { name, issuer } = culprit(view, first) ?? { name: shorten(first.served.issuer), issuer: undefined };
  const accepted = first.served.verified === true;
  return {
    summary: `${nameSome(nodes)} ${plural(nodes, "sends", "send")} an expired issuer's certificate with ${nameSome(hosts)}: ${name}`,
    nodes,
    hosts,
    proof: [
      {
        text:
          issuer === undefined
            ? `the certificate is valid, the verdict is ${String(first.served.verified)}`
            : `${name} ended on ${dayText(issuer.notAfter)}`,
        source: probeOf(first.cell),
      },
      ...(accepted
        ? [{ text: "the chain verified here by another path; old clients do not find it", source: "doctor" }]
        : peersProof(view, group)),
    ],
    remedy: `Replace ${name} on ${nameSome(nodes)} by the authority's present one.`,
    effect: "Clients find a chain that is valid throughout.",
    actions: nodes.map((node) => ({
      do: "manual",
      node,
      text: "certutil -delstore CA SERIAL of the expired one (Windows), or write the file anew with the present chain",
    })),
    explains: illAndDiffering(view, group),
    certainty: "certain",
    severity: accepted ? "warning" : "error",
  };
}
