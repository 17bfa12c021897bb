import type { FindingDraft, Symptom } from "../finding.ts";
import { refsOf } from "../node/central-symptoms.ts";
import { seenProof } from "../node/host-texts.ts";
import { checkRowCertificates, type RowCertificate } from "../node/row-certificates.ts";
import { rowSights } from "../node/row-symptoms.ts";
import { keyText, namedBy } from "../node/row-texts.ts";
import { EVENTS, eventProof, eventsOf } from "../node/windows-events.ts";
import type { Rule } from "../rule.ts";
import type { View } from "../view.ts";

/** The certificate is installed, but nobody can use its key. */
export const keyNotReadable: Rule = {
  code: "key-not-readable",
  title: "The private key behind a row cannot be used",
  severity: "error",
  tier: "node",
  source: "https://learn.microsoft.com/en-us/previous-versions/windows/it-pro/windows-server-2012-r2-and-2012/dn786445(v=ws.11)",
  explains:
    "A certificate of the machine's own store needs its private key, and the server's account must be allowed to read it. When the key was not imported, or the permissions of its file are broken, " +
    "every handshake that the row takes is reset, and Schannel writes event 36870 or 36869.",
  remedy:
    "On that server: certlm.msc, the certificate, All Tasks, Manage Private Keys: SYSTEM and NETWORK SERVICE need to read. Without a key import the PFX again: `certutil -importpfx FILE`.",
  check: (view) => checkRowCertificates(view, (found) => findings(view, found)),
};

/** How it is known that the key cannot be used. */
type Trouble = "absent" | "unreadable" | "logged";

function findings(view: View, found: RowCertificate): readonly FindingDraft[] {
  const { node, row, certificate } = found;
  const sights = rowSights(view, node);
  const symptoms = sights.unservedBy(row);
  const trouble = troubleOf(found, symptoms);
  return trouble === undefined || sights.seenToServe(row) ? [] : [draft(found, trouble, symptoms, certificate.subject)];
}

function troubleOf({ node, certificate: { hasKey, keyReadable } }: RowCertificate, symptoms: readonly Symptom[]): Trouble | undefined {
  if (hasKey === false) return "absent";
  if (keyReadable !== undefined) return keyReadable ? undefined : "unreadable";
  // Without a look at the key itself, the event and a reset together say it.
  return symptoms.length > 0 && eventsOf(node.evidence, EVENTS.keyNotAccessible).length > 0 ? "logged" : undefined;
}

const SEEN: Readonly<Record<Trouble, string>> = {
  absent: "the certificate is installed without a key",
  unreadable: "the key cannot be read by the server's account",
  logged: "the certificate is installed; its key was not looked at",
};

function draft({ node, row, certificate }: RowCertificate, trouble: Trouble, symptoms: readonly Symptom[], subject: string): FindingDraft {
  const { name } = node.node;
  const key = keyText(row.key);
  return {
    summary:
      trouble === "absent"
        ? `${name}: ${subject} behind ${key} has no private key`
        : `${name} cannot read the private key of ${subject} behind ${key}`,
    nodes: [name],
    hosts: [],
    about: key,
    proof: [
      { text: SEEN[trouble], source: certificate.source },
      { text: `${key} names ${namedBy(row)}`, source: node.part.source },
      ...seenProof(symptoms),
      ...eventProof(node.evidence, trouble === "absent" ? EVENTS.keyMissing : EVENTS.keyNotAccessible),
    ],
    remedy:
      trouble === "absent"
        ? `Import ${subject} with its key on ${name}.`
        : `On ${name} let SYSTEM and NETWORK SERVICE read the private key of ${subject}, or import its PFX again.`,
    effect: `${key} answers again.`,
    actions: [{ do: "manual", node: name, text: `make the private key of ${subject} usable` }],
    explains: refsOf(symptoms),
    ...(trouble === "logged"
      ? {
          certainty: "likely",
          others: ["the key belongs to another certificate"],
          decides: `certutil -verifystore My ${certificate.thumbprint} on ${name}`,
        }
      : { certainty: "certain" }),
  };
}
