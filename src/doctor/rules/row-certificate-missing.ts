import type { EvidenceRow, InstalledCertificate } from "../evidence.ts";
import type { FindingDraft, Proof } from "../finding.ts";
import { nameSome } from "../name-some.ts";
import { refsOf } from "../node/central-symptoms.ts";
import { seenProof } from "../node/host-texts.ts";
import { rowSights } from "../node/row-symptoms.ts";
import { keyText, namedBy } from "../node/row-texts.ts";
import { result, withoutEvidence } from "../node/rule-results.ts";
import { fileNamed } from "../node/table-rows.ts";
import { EVENTS, eventProof } from "../node/windows-events.ts";
import type { Rule } from "../rule.ts";
import type { Evident, View } from "../view.ts";

type Table = Evident<"table">;

/** A row that points into the void. */
export const rowCertificateMissing: Rule = {
  code: "row-certificate-missing",
  title: "A row names a certificate that the node does not have",
  severity: "error",
  tier: "node",
  source: "https://learn.microsoft.com/en-us/windows-server/administration/windows-commands/netsh-http",
  explains:
    "A row of the binding table names its certificate by hash (IIS) or by file (certfarm). When that certificate was deleted, or was never installed on this server, the row stays and answers with nothing: " +
    "IIS resets the handshake and writes event 15021; certfarm passes the row over.",
  remedy:
    "Install the certificate with its key on that server, or give the row another: `netsh http delete sslcert …` and `add`, or move the site to central certificates. certfarm: put the file into `certificates/` of the store, or delete the row.",
  check(view) {
    const tables = view.having("table").filter(({ evidence }) => evidence.certificates !== undefined || evidence.make === "certfarm");
    if (tables.length === 0) return withoutEvidence(view, view.having("table").length === 0 ? "table" : "certificates");
    return result(tables.flatMap((node) => node.part.rows.flatMap((row) => findings(view, node, row))));
  },
};

function findings(view: View, node: Table, row: EvidenceRow): readonly FindingDraft[] {
  const sights = rowSights(view, node);
  if (!namesNothing(node, row) || sights.seenToServe(row)) return [];
  const symptoms = sights.unservedBy(row);
  const { name } = node.node;
  const key = keyText(row.key);
  return [
    {
      summary: `${name}: the row ${key} names ${namedBy(row)}, which is not there`,
      nodes: [name],
      hosts: [],
      about: key,
      proof: [
        {
          text: `${key} names ${namedBy(row)}${row.thumbprint === undefined ? "" : ` in the store ${row.storeName ?? "My (the default)"}`}`,
          source: node.part.source,
        },
        thereProof(node),
        ...seenProof(symptoms),
        ...eventProof(node.evidence, EVENTS.rowUnusable),
      ],
      remedy: `Install ${namedBy(row)} with its key on ${name}, or give ${key} another certificate.`,
      effect: `${key} answers again.`,
      actions: [{ do: "manual", node: name, text: `install ${namedBy(row)} or give ${key} another certificate` }],
      explains: refsOf(symptoms),
      certainty: "certain",
    },
  ];
}

function namesNothing({ evidence }: Table, row: EvidenceRow): boolean {
  if (row.file !== undefined) return evidence.central?.files !== undefined && fileNamed(evidence.central.files, row.file) === undefined;
  const { thumbprint } = row;
  // SHA-256 hashes cannot be compared: stores list SHA-1.
  if (thumbprint?.length !== 40 || evidence.certificates === undefined) return false;
  return !evidence.certificates.some((certificate) => certificate.thumbprint === thumbprint);
}

function thereProof({ evidence }: Table): Proof {
  const { certificates, central, source } = evidence;
  if (certificates === undefined)
    return { text: `${central?.files?.length ?? 0} files are listed, not this one`, source: central?.source ?? source };
  return { text: storesText(certificates), source: certificates[0]?.source ?? source };
}

function storesText(certificates: readonly InstalledCertificate[]): string {
  if (certificates.length === 0) return "no certificate is installed";
  return `${certificates.length} ${certificates.length === 1 ? "certificate" : "certificates"} in ${nameSome([...new Set(certificates.map(({ store }) => store))])}, not this one`;
}
