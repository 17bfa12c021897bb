import type { EvidenceRow } from "../evidence.ts";
import type { FindingDraft, Proof, Symptom } from "../finding.ts";
import { absenceOf } from "../files/absent-files.ts";
import { storeSights, type StoreSight } from "../files/store-sights.ts";
import { nameSome } from "../name-some.ts";
import { refsOf } from "../node/central-symptoms.ts";
import { hostsOf, seenProof } from "../node/host-texts.ts";
import { rowSights } from "../node/row-symptoms.ts";
import { keyText, namedBy } from "../node/row-texts.ts";
import { result, withoutEvidence } from "../node/rule-results.ts";
import { rowsOfPort } from "../node/table-rows.ts";
import type { Rule } from "../rule.ts";
import type { Evident, View } from "../view.ts";

type Table = Evident<"table">;

/** A default certificate turns a missing file into a wrong certificate. */
export const anyRowCatchesMisses: Rule = {
  code: "any-row-catches-misses",
  title: "A default certificate answers for names without a file",
  severity: "error",
  tier: "node",
  source: "docs/bindings.md; https://kaushalp.github.io/",
  explains:
    "When the central store has no file for a name, the rows of last rank are looked at: [::] and 0.0.0.0 with the port. Their certificate then answers for names it was not made for, " +
    "so clients see a wrong certificate instead of an honest refusal, on this name only.",
  remedy:
    "Put a file for the name into the central certificates. Then decide whether a certificate for clients without SNI is wanted: if not, take the row for 0.0.0.0 out, so that a missing file shows as what it is.",
  check(view) {
    const tables = view.having("table");
    if (tables.length === 0) return withoutEvidence(view, "table");
    return result(tables.flatMap((node) => node.part.rows.flatMap((row) => findings(view, node, row))));
  },
};

function findings(view: View, node: Table, row: EvidenceRow): readonly FindingDraft[] {
  const { key } = row;
  if (key.kind !== "any" || rowsOfPort(node.part, key.port)?.central === undefined) return [];
  const sight = storeSights(view).find((candidate) => candidate.node === node.node);
  // Where the listing shows what was meant, that is the cause; with a file, the file is.
  const symptoms = rowSights(view, node)
    .servedBy(row)
    .filter(({ host }) => sight === undefined || absenceOf(sight, host)?.kind === "absent");
  if (symptoms.length === 0) return [];
  const { name } = node.node;
  const hosts = hostsOf(symptoms);
  return [
    {
      summary: `${name} serves the default certificate of ${keyText(key)} for ${nameSome(hosts)}`,
      nodes: [name],
      hosts,
      about: keyText(row.key),
      proof: [
        { text: `the row ${keyText(row.key)} has ${namedBy(row)}`, source: node.part.source },
        ...seenProof(symptoms),
        ...listingProof(sight, symptoms),
      ],
      remedy: `Put certificates for ${nameSome(hosts)} into the central store; then decide whether ${keyText(key)} is still wanted.`,
      effect: "The names get their own certificates; clients without SNI still get the default one.",
      actions: [{ do: "manual", node: name, text: `Put certificates for ${nameSome(hosts)} into the central store` }],
      explains: refsOf(symptoms),
      ...(sight === undefined
        ? {
            certainty: "likely",
            others: ["the files of these names are there, and cannot be used"],
            decides: "the listing of the central certificates: name their folder with --share",
          }
        : { certainty: "certain" }),
    },
  ];
}

function listingProof(sight: StoreSight | undefined, [first]: readonly Symptom[]): readonly Proof[] {
  if (sight === undefined || first === undefined) return [];
  return [{ text: `no file is ${nameSome(sight.candidates(first.host).tried)}`, source: sight.source }];
}
