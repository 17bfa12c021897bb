import type { EvidenceRow, InstalledCertificate } from "../evidence.ts";
import type { FindingDraft } from "../finding.ts";
import { refsOf } from "../node/central-symptoms.ts";
import { seenProof } from "../node/host-texts.ts";
import { rowSights } from "../node/row-symptoms.ts";
import { deleteCommand, keyText, namedBy } from "../node/row-texts.ts";
import { result, withoutEvidence } from "../node/rule-results.ts";
import { EVENTS, eventProof } from "../node/windows-events.ts";
import type { Rule } from "../rule.ts";
import type { Evident, View } from "../view.ts";

type Table = Evident<"table">;

/** `certstorename=` was left out, and the certificate is in WebHosting. */
export const rowStoreNameWrong: Rule = {
  code: "row-store-name-wrong",
  title: "A row looks for its certificate in the wrong store",
  severity: "error",
  tier: "node",
  source: "https://learn.microsoft.com/en-us/windows-server/administration/windows-commands/netsh-http",
  explains:
    "A row that was added without `certstorename=` looks in the store My. When the certificate is in WebHosting, the row finds nothing and the handshake is reset, although the certificate is installed on the server.",
  remedy: "IIS: take the row out and add it again with `certstorename=WebHosting`, or whichever store holds the certificate.",
  check(view) {
    const tables = view.having("table").filter(({ evidence }) => evidence.certificates !== undefined);
    if (tables.length === 0) return withoutEvidence(view, view.having("table").length === 0 ? "table" : "certificates", ["iis"]);
    return result(tables.flatMap((node) => node.part.rows.flatMap((row) => findings(view, node, row))));
  },
};

function findings(view: View, node: Table, row: EvidenceRow): readonly FindingDraft[] {
  const sights = rowSights(view, node);
  const held = elsewhere(node, row);
  if (held === undefined || sights.seenToServe(row)) return [];
  const symptoms = sights.unservedBy(row);
  const { name } = node.node;
  const key = keyText(row.key);
  const again = `${deleteCommand(row.key, "iis", name)}, then add it with certhash=${held.thumbprint} certstorename=${held.store}`;
  return [
    {
      summary: `${name}: the row ${key} looks for ${namedBy(row)} in ${row.storeName ?? "My"}, but it is in ${held.store}`,
      nodes: [name],
      hosts: [],
      about: key,
      proof: [
        { text: `${key} names ${namedBy(row)}, store ${row.storeName ?? "(null), which is My"}`, source: node.part.source },
        { text: `${held.subject} is in the store ${held.store}`, source: held.source },
        ...seenProof(symptoms),
        ...eventProof(node.evidence, EVENTS.rowUnusable),
      ],
      remedy: `On ${name}: ${again}`,
      effect: `${key} answers with ${held.subject}.`,
      actions: [{ do: "manual", node: name, text: again }],
      explains: refsOf(symptoms),
      certainty: "certain",
    },
  ];
}

/** The certificate in another store than the row's, when it is not in that. */
function elsewhere({ evidence }: Table, { thumbprint, storeName = "My" }: EvidenceRow): InstalledCertificate | undefined {
  const held = (evidence.certificates ?? []).filter((certificate) => certificate.thumbprint === thumbprint);
  return held.some(({ store }) => store.toLowerCase() === storeName.toLowerCase()) ? undefined : held[0];
}
