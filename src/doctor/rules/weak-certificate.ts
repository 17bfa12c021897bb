import { groupAlike, servedCells, type ServedCell, type ServedGroup } from "../files/served-cells.ts";
import type { FindingDraft } from "../finding.ts";
import { nameSome } from "../name-some.ts";
import type { Rule } from "../rule.ts";
import { shorten } from "../shorten.ts";
import type { View } from "../view.ts";
import { checkFindings, illRefs, plural, probeOf } from "../wire/groups.ts";

/** Keys and signatures that clients of today do not accept. */
export const weakCertificate: Rule = {
  code: "weak-certificate",
  title: "A key or signature is too weak for current clients",
  severity: "warning",
  tier: "host",
  source: "https://cabforum.org/working-groups/server/baseline-requirements/requirements/",
  explains:
    "The certificate or one of its issuers has an RSA key under 2048 bits, or is signed with SHA-1 or MD5. Browsers and OpenSSL 3 refuse it; old clients still take it, so it may look like a fault of some clients.",
  remedy: "Have the certificate issued again with an RSA key of 2048 bits or P-256 and SHA-256, under an issuer that is signed so, too.",
  check(view) {
    const found = servedCells(view).filter((each) => weakness(each) !== undefined);
    return checkFindings(
      view,
      groupAlike(view, found, (each) => weakness(each) ?? "").map((group) => draft(view, group)),
    );
  },
};

const VERDICTS: Readonly<Record<string, string>> = {
  EE_KEY_TOO_SMALL: "the key of the certificate is too small",
  CA_KEY_TOO_SMALL: "the key of an issuer is too small",
  CA_MD_TOO_WEAK: "an issuer is signed with SHA-1 or MD5",
};

/** What is weak, in words; a root's own signature is never looked at. */
function weakness({ served }: ServedCell): string | undefined {
  for (const { subject, keyName, signatureAlgorithm, selfSigned } of served.chain ?? []) {
    const bits = /^RSA\D* (\d+)$/.exec(keyName)?.[1];
    if (bits !== undefined && Number(bits) < 2048) return `${shorten(subject)} has an RSA key of ${bits} bits`;
    if (!selfSigned && /md2|md5|sha-?1(?!\d)/i.test(signatureAlgorithm ?? ""))
      return `${shorten(subject)} is signed with ${signatureAlgorithm ?? ""}`;
  }
  return typeof served.verified === "string" ? VERDICTS[served.verified] : undefined;
}

function draft(view: View, group: ServedGroup): FindingDraft {
  const { nodes, hosts, first: found } = group;
  const what = weakness(found);
  const explains = illRefs(view, group.cells);
  return {
    summary: `Current clients refuse the ${plural(hosts, "certificate", "certificates")} of ${nameSome(hosts)}: ${what ?? ""}`,
    nodes,
    hosts,
    proof: [
      {
        text: `${what ?? ""}; verdict here: ${found.served.verified === true ? "accepted" : found.served.verified}`,
        source: probeOf(found.cell),
      },
    ],
    remedy: `Have the certificate of ${nameSome(hosts)} issued again, with a stronger key and SHA-256 throughout.`,
    effect: "Current clients accept it.",
    actions: [{ do: "manual", text: "openssl req -new -newkey rsa:2048 -nodes -keyout key.pem -out request.pem, and have it signed" }],
    explains,
    certainty: "certain",
    severity: explains.length > 0 ? "error" : "warning",
  };
}
