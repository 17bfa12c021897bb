import type { HostName } from "../../base/index.ts";
import type { EvidenceRow } from "../evidence.ts";
import type { FindingDraft, Symptom } from "../finding.ts";
import { bindingsFor } from "../node/bound-hosts.ts";
import { refsOf } from "../node/central-symptoms.ts";
import { seenProof } from "../node/host-texts.ts";
import { isForeign, otherService, ownerText } from "../node/row-owners.ts";
import { rowSights } from "../node/row-symptoms.ts";
import { deleteCommand, keyText, namedBy } from "../node/row-texts.ts";
import { result, withoutEvidence } from "../node/rule-results.ts";
import { rowsOfPort } from "../node/table-rows.ts";
import type { Rule } from "../rule.ts";
import type { Evident, View } from "../view.ts";

type Table = Evident<"table">;

/** AD FS, gateways and deployment tools share the table, and take what is not theirs. */
export const foreignRowOwner: Rule = {
  code: "foreign-row-owner",
  title: "A row of another application answers for these sites",
  severity: "error",
  tier: "node",
  source: "https://learn.microsoft.com/en-us/windows-server/administration/windows-commands/netsh-http",
  explains:
    "The binding table belongs to Windows, not to IIS: AD FS, the Web Application Proxy, gateways and deployment tools make rows of their own, told apart by their application id. " +
    "Such a row on an address or name that sites use answers in their place. Its owner makes it again when it starts or deploys.",
  remedy:
    "Move the other application to an address or names of its own, or let it use rows by name. Only then take the row out, as the finding says, and look again after its owner was restarted.",
  check(view) {
    const tables = view.having("table").filter(({ evidence }) => evidence.make === "iis");
    if (tables.length === 0) return withoutEvidence(view, "table", ["iis"]);
    return result(tables.flatMap((node) => node.part.rows.flatMap((row) => findings(view, node, row))));
  },
};

function findings(view: View, node: Table, row: EvidenceRow): readonly FindingDraft[] {
  // An address's row of nobody in particular is told by ip-row-shadows.
  const foreign = row.key.kind === "ip" ? otherService(row) !== undefined : isForeign(row);
  if (!foreign) return [];
  const sights = rowSights(view, node);
  const symptoms = [...sights.servedBy(row), ...sights.unservedBy(row)];
  if (!(symptoms.length > 0 ? takes(node, row, symptoms) : isLatent(view, node, row))) return [];
  const { name } = node.node;
  const owner = ownerText(row);
  return [
    {
      summary: `${name}: the row ${keyText(row.key)} belongs to ${owner}, and answers for sites of IIS`,
      nodes: [name],
      hosts: [],
      about: keyText(row.key),
      proof: [
        { text: `${keyText(row.key)} has ${namedBy(row)} and the application id ${row.appId ?? ""}`, source: node.part.source },
        ...seenProof(symptoms),
      ],
      remedy: `Give ${owner} an address or names of its own; then on ${name}: ${deleteCommand(row.key, "iis", name)}`,
      effect: `The sites' own rows answer again; ${owner} needs its other row first.`,
      actions: [
        { do: "manual", node: name, text: `give ${owner} an address or names of its own, then ${deleteCommand(row.key, "iis", name)}` },
      ],
      explains: refsOf(symptoms),
      certainty: "certain",
    },
  ];
}

/** A default certificate of others is to blame only when no row of the sites stands before it. */
function takes(node: Table, { key }: EvidenceRow, symptoms: readonly Symptom[]): boolean {
  return symptoms.length > 0 && (key.kind !== "any" || rowsOfPort(node.part, key.port)?.central === undefined);
}

/** Nobody was dialled there, but sites are bound where the row comes first. */
function isLatent(view: View, node: Table, row: EvidenceRow): boolean {
  const { key } = row;
  const { bindings, addresses } = node.evidence;
  if (bindings === undefined || rowSights(view, node).provedGood(row)) return false;
  if (key.kind === "host") return !key.host.startsWith("*.") && bindingsFor(bindings, key.host as string as HostName, key.port).length > 0; // no `*.`: a name
  if (key.kind !== "ip" || (addresses !== undefined && addresses.length > 0 && !addresses.includes(key.address))) return false;
  return bindings.bindings.some(
    ({ protocol, address, port, host }) =>
      protocol === "https" && port === key.port && host !== undefined && (address === "*" || address === key.address),
  );
}
