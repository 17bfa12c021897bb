import { chainTrouble } from "../files/chains.ts";
import { groupAlike, servedCells, type ServedCell, type ServedGroup } from "../files/served-cells.ts";
import type { FindingDraft } from "../finding.ts";
import { nameSome } from "../name-some.ts";
import type { Rule } from "../rule.ts";
import { shorten } from "../shorten.ts";
import type { View } from "../view.ts";
import { checkFindings, illRefs, peersProof, plural, probeOf } from "../wire/groups.ts";
import { tlsInterception } from "./tls-interception.ts";

/** The chain is whole and leads to nobody whom this machine trusts. */
export const issuerUntrusted: Rule = {
  code: "issuer-untrusted",
  title: "A certificate is not trusted by this machine",
  severity: "warning",
  tier: "wire",
  source: "https://www.rfc-editor.org/rfc/rfc5280#section-6",
  explains:
    "The certificate signed itself, or its chain ends at an authority that is not among the roots. For a private authority that is as it should be: tell the doctor of it with `--ca`. " +
    "On the internet it turns every client away. A self-signed certificate on one node alone is mostly the default of its server, because the right one is missing there.",
  remedy:
    "Private authority: `--ca root.pem`, and give the root to the clients. Otherwise replace the certificate by one of an authority that clients trust.",
  check(view) {
    const found = servedCells(view).filter((each) => isUntrusted(view, each));
    if (found.length > 0 && tlsInterception.check(view).status === "found")
      return { status: "not-applicable", why: "something between the doctor and the nodes opens TLS" };
    return checkFindings(
      view,
      groupAlike(view, found, (each) => `${each.served.issuer} ${chainTrouble(view, each) ?? ""}`).map((group) => draft(view, group)),
    );
  },
};

function isUntrusted(view: View, found: ServedCell): boolean {
  if (view.symptom(found.cell.node, found.cell.host)?.kind !== "untrusted") return false;
  const trouble = chainTrouble(view, found);
  return trouble === "self-signed" || trouble === "unknown-root";
}

function draft(view: View, group: ServedGroup): FindingDraft {
  const { nodes, hosts, first } = group;
  const selfSigned = chainTrouble(view, first) === "self-signed";
  const { verified } = first.served;
  const issuer = shorten(first.served.issuer);
  const subject = shorten(first.served.subject);
  const given = view.examination.roots === "given";
  const peers = peersProof(view, group);
  const shared = {
    summary: selfSigned
      ? `${nameSome(nodes)} ${plural(nodes, "serves", "serve")} ${plural(hosts, "a self-signed certificate", "self-signed certificates")} for ${nameSome(hosts)}`
      : `${nameSome(nodes)} ${plural(nodes, "serves", "serve")} ${nameSome(hosts)} with a certificate of ${issuer}, which this machine does not trust`,
    nodes,
    hosts,
    proof: [
      { text: `${subject}, issued by ${selfSigned ? "itself" : issuer}: ${String(verified)}`, source: probeOf(first.cell) },
      { text: given ? "verified against the roots that were given" : "verified against the roots of this system", source: "doctor" },
      ...peers,
    ],
    actions: [],
    explains: illRefs(view, group.cells),
    ...certainty(selfSigned, first),
  } as const;
  if (peers.length > 0) {
    const effect = `Clients accept ${nameSome(hosts)} from every node.`;
    return { ...shared, remedy: `Give ${nameSome(nodes)} the certificate that the other nodes serve.`, effect, severity: "error" };
  }
  return {
    ...shared,
    remedy: `If ${issuer} is an authority of your own, run the doctor with \`--ca FILE\`; otherwise replace the certificate.`,
    effect: "With the right root the doctor judges the chain as your clients do.",
    severity: given ? "error" : "warning",
  };
}

function certainty(selfSigned: boolean, { served }: ServedCell): Pick<FindingDraft, "certainty" | "others" | "decides"> {
  if (selfSigned || served.chain?.at(-1)?.selfSigned === true) return { certainty: "certain" };
  return {
    certainty: "likely",
    others: ["a further intermediate certificate is missing"],
    decides: "the root of the authority, given with `--ca`",
  };
}
