import { formatEndpoint, ipFamily, type HostName } from "../../base/index.ts";
import type { EvidenceRow } from "../evidence.ts";
import type { FindingDraft, Symptom } from "../finding.ts";
import { nameSome } from "../name-some.ts";
import { refsOf } from "../node/central-symptoms.ts";
import { hostsOf } from "../node/host-texts.ts";
import { keyText, namedBy } from "../node/row-texts.ts";
import { result } from "../node/rule-results.ts";
import { rowsFor, servesRow } from "../node/table-rows.ts";
import type { Rule } from "../rule.ts";
import type { Cell, ExaminedNode } from "../examination.ts";
import type { View } from "../view.ts";

/** A row that only IPv6 clients meet, and nobody who tests over IPv4. */
export const ipv6RowAnswers: Rule = {
  code: "ipv6-row-answers",
  title: "A node answers over IPv6 with another certificate",
  severity: "error",
  tier: "node",
  source: "docs/bindings.md; https://learn.microsoft.com/en-us/windows-server/administration/windows-commands/netsh-http",
  explains:
    "A row for [::] takes IPv6 connections alone, before the row for 0.0.0.0. When the certificate was renewed in one of them only, IPv4 clients see the new one and IPv6 clients the old one.",
  remedy:
    "Give the row for [::] the certificate that the row for 0.0.0.0 has, or take it out. IIS: `netsh http delete sslcert ipport=[::]:443`. certfarm: `certfarm bindings delete any:[::]:443 --node NODE`.",
  check(view) {
    const nodes = view.nodes.filter(dialledBothWays);
    if (nodes.length === 0) return { status: "not-applicable", why: "no node was dialled over both IPv4 and IPv6" };
    return result(nodes.flatMap((node) => findings(view, node)));
  },
};

const dialledBothWays = ({ endpoints }: ExaminedNode): boolean => new Set(endpoints.map(({ address }) => ipFamily(address))).size === 2;

function findings(view: View, node: ExaminedNode): readonly FindingDraft[] {
  const ill = new Set(
    view
      .symptomsOf(node.name)
      .filter(({ endpoint }) => ipFamily(endpoint.address) === 4)
      .map(({ host }) => host),
  );
  const right = new Set(
    view
      .cellsOf(node.name)
      .filter(({ endpoint, host, probes }) => ipFamily(endpoint.address) === 4 && probes.sni?.outcome.kind === "served" && !ill.has(host))
      .map(({ host }) => host),
  );
  const symptoms = view.symptomsOf(node.name).filter((symptom) => isWrongOverIpv6(view, symptom, right));
  const [first] = symptoms;
  if (first === undefined) return [];
  const row = answeringRow(view, node, first);
  const alike = row === undefined ? symptoms : symptoms.filter((symptom) => answeringRow(view, node, symptom) === row);
  return node.evidence?.table !== undefined && row === undefined ? [] : [draft(node, row, alike)];
}

function isWrongOverIpv6(view: View, symptom: Symptom, right: ReadonlySet<HostName>): boolean {
  const outcome = view.cellOf(symptom)?.probes.sni?.outcome;
  return (
    ipFamily(symptom.endpoint.address) === 6 && outcome?.kind === "served" && symptom.kind !== "request-failed" && right.has(symptom.host)
  );
}

function answeringRow(view: View, { evidence }: ExaminedNode, symptom: Symptom): EvidenceRow | undefined {
  const cell: Cell | undefined = view.cellOf(symptom);
  const outcome = cell?.probes.sni?.outcome;
  if (evidence === undefined || cell === undefined || outcome?.kind !== "served") return undefined;
  return rowsFor(evidence, cell.endpoint, cell.host).find(
    (row) => row.key.kind === "any" && row.key.family === 6 && servesRow(outcome, row, evidence),
  );
}

function draft({ name, evidence }: ExaminedNode, row: EvidenceRow | undefined, symptoms: readonly Symptom[]): FindingDraft {
  const hosts = hostsOf(symptoms);
  const endpoint = symptoms[0] === undefined ? "IPv6" : formatEndpoint(symptoms[0].endpoint);
  return {
    summary: `${name} answers over IPv6 with another certificate than over IPv4`,
    nodes: [name],
    hosts: [],
    proof: [
      { text: `${nameSome(hosts)}: right over IPv4; over IPv6 ${symptoms[0]?.text ?? ""}`, source: `probe of ${name}` },
      ...(row === undefined
        ? []
        : [
            {
              text: `the row ${keyText(row.key)} has ${namedBy(row)}, which is what ${endpoint} serves`,
              source: evidence?.table?.source ?? "",
            },
          ]),
    ],
    remedy:
      row === undefined
        ? `See which row or server answers on ${endpoint}.`
        : `Give ${keyText(row.key)} on ${name} the certificate that 0.0.0.0 has, or take it out.`,
    effect: "IPv6 clients get the certificate that IPv4 clients get.",
    actions: row === undefined ? [] : [{ do: "delete-row", node: name, key: row.key, row }],
    explains: refsOf(symptoms),
    ...(row === undefined
      ? { certainty: "likely", others: [`${endpoint} is another machine`], decides: `the binding table of ${name}` }
      : { certainty: "certain" }),
  };
}
