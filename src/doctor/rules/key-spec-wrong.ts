import type { FindingDraft } from "../finding.ts";
import { refsOf } from "../node/central-symptoms.ts";
import { seenProof } from "../node/host-texts.ts";
import { checkRowCertificates, type RowCertificate } from "../node/row-certificates.ts";
import { rowSights } from "../node/row-symptoms.ts";
import { keyText } from "../node/row-texts.ts";
import { EVENTS, eventProof } from "../node/windows-events.ts";
import type { Rule } from "../rule.ts";
import type { View } from "../view.ts";

const EXCHANGE = 1;

/** A key that was imported for signatures only. */
export const keySpecWrong: Rule = {
  code: "key-spec-wrong",
  title: "A key behind a row was imported for the wrong use",
  severity: "error",
  tier: "node",
  source: "https://learn.microsoft.com/en-us/windows-server/identity/ad-fs/technical-reference/ad-fs-and-keyspec-property",
  explains:
    "Keys of the older Windows providers carry a KeySpec. A server certificate needs AT_KEYEXCHANGE (1). With AT_SIGNATURE (2) or none (0) Schannel cannot use the key for TLS: " +
    "the connection is reset after the ClientHello, and event 36888 tells of an internal error.",
  remedy:
    "On that server delete the certificate and import its PFX again: `certutil -importpfx FILE AT_KEYEXCHANGE`; then see that the row still names its hash.",
  check: (view) => checkRowCertificates(view, (found) => findings(view, found)),
};

function findings(view: View, { node, row, certificate }: RowCertificate): readonly FindingDraft[] {
  const { keySpec } = certificate;
  const sights = rowSights(view, node);
  if (keySpec === undefined || keySpec === EXCHANGE || certificate.hasKey === false || sights.seenToServe(row)) return [];
  const symptoms = sights.unservedBy(row);
  const { name } = node.node;
  const key = keyText(row.key);
  return [
    {
      summary: `${name}: the key of ${certificate.subject} behind ${key} has KeySpec ${keySpec}`,
      nodes: [name],
      hosts: [],
      about: key,
      proof: [
        { text: `KeySpec is ${keySpec} (${keySpec === 2 ? "AT_SIGNATURE" : "none"}), not 1 (AT_KEYEXCHANGE)`, source: certificate.source },
        ...seenProof(symptoms),
        ...eventProof(node.evidence, EVENTS.alertGenerated),
      ],
      remedy: `On ${name} import the PFX of ${certificate.subject} again: certutil -importpfx FILE AT_KEYEXCHANGE`,
      effect: `${key} answers again.`,
      actions: [{ do: "manual", node: name, text: `import the PFX of ${certificate.subject} with AT_KEYEXCHANGE` }],
      explains: refsOf(symptoms),
      certainty: "certain",
    },
  ];
}
