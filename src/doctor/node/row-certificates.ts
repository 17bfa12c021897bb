import type { EvidenceRow, InstalledCertificate } from "../evidence.ts";
import type { FindingDraft } from "../finding.ts";
import type { RuleResult } from "../rule.ts";
import type { Evident, View } from "../view.ts";
import { result, withoutEvidence } from "./rule-results.ts";

/** A row with the installed certificate that it names. */
export interface RowCertificate {
  readonly node: Evident<"table">;
  readonly row: EvidenceRow;
  readonly certificate: InstalledCertificate;
}

/** What a rule about certificates behind rows comes to: the findings of each row whose certificate is installed. */
export function checkRowCertificates(view: View, findings: (found: RowCertificate) => readonly FindingDraft[]): RuleResult {
  const tables = view.having("table").filter(({ evidence }) => evidence.make === "iis" && evidence.certificates !== undefined);
  if (tables.length === 0) return withoutEvidence(view, view.having("table").length === 0 ? "table" : "certificates", ["iis"]);
  return result(tables.flatMap((node) => pairsOf(node).flatMap(findings)));
}

function pairsOf(node: Evident<"table">): readonly RowCertificate[] {
  const byThumbprint = new Map(node.evidence.certificates?.map((certificate) => [certificate.thumbprint, certificate]));
  return node.part.rows.flatMap((row) => {
    const certificate = byThumbprint.get(row.thumbprint ?? "");
    return certificate === undefined ? [] : [{ node, row, certificate }];
  });
}
