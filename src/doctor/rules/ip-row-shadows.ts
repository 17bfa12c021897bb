import { formatEndpoint, patternCovers, parseHostPattern, type HostName, type IpAddress } from "../../base/index.ts";
import type { EvidenceBinding, EvidenceRow } from "../evidence.ts";
import type { FindingDraft, Proof, Symptom } from "../finding.ts";
import { nameSome } from "../name-some.ts";
import { refsOf } from "../node/central-symptoms.ts";
import { result, withoutEvidence } from "../node/rule-results.ts";
import { isForeign, otherService, ownerText } from "../node/row-owners.ts";
import { deleteCommand, namedBy } from "../node/row-texts.ts";
import { rowSights } from "../node/row-symptoms.ts";
import { fileNamed, rowThumbprint } from "../node/table-rows.ts";
import type { Rule } from "../rule.ts";
import type { Evident, View } from "../view.ts";

/** The other half of the seed: one site without SNI leaves a row for the address, and that row answers for everybody. */
export const ipRowShadows: Rule = {
  code: "ip-row-shadows",
  title: "A row for an address answers for every name",
  severity: "error",
  tier: "node",
  source: "docs/bindings.md; https://learn.microsoft.com/en-us/windows/win32/api/http/ne-http-http_service_config_id",
  explains:
    "A row for an address and port is looked at before rows of names and before the central row, so its one certificate is served for every name that arrives there, whatever the client asks for. " +
    "Such a row stays behind when a site had a binding without SNI, or when a tool added one; IIS Manager need not show it.",
  remedy:
    "Give every site on that address SNI and a certificate by name, keep a copy of the table, then take the row out. certfarm: `certfarm bindings delete ip:ADDRESS:443 --node NODE`. " +
    "IIS: `netsh http delete sslcert ipport=ADDRESS:443`, then look whether it comes back. Never delete the central row (ccs=443).",
  check(view) {
    const tables = view.having("table");
    if (tables.length === 0) return withoutEvidence(view, "table");
    return result(tables.flatMap((node) => node.part.rows.flatMap((row) => findings(view, node, row))));
  },
};

type Table = Evident<"table">;

function findings(view: View, node: Table, row: EvidenceRow): readonly FindingDraft[] {
  const { key } = row;
  if (key.kind !== "ip" || otherService(row) !== undefined || !isOfNode(node, key.address)) return [];
  const symptoms = rowSights(view, node).servedBy(row);
  const bound = namesBound(node, key.address, key.port);
  if (symptoms.length === 0 && !isLatent(view, node, { row, address: key.address, bound })) return [];
  const name = node.node.name;
  return [
    {
      summary: `${name} serves one certificate for every name on ${formatEndpoint(key)}`,
      nodes: [name],
      hosts: [],
      about: formatEndpoint(key),
      proof: [
        {
          text: `the table has a row for ${formatEndpoint(key)} with ${namedBy(row)}${isForeign(row) ? `, made by ${ownerText(row)}` : ""}`,
          source: node.part.source,
        },
        ...servedProof(view, symptoms),
        ...boundProof(node, bound),
        ...peersProof(view, name),
      ],
      remedy: `Take the row out on ${name}: ${deleteCommand(key, node.evidence.make, name)}`,
      effect: `Rows of names and central certificates answer on ${formatEndpoint(key)}; clients without SNI get no certificate there unless a row for 0.0.0.0 has one.`,
      actions: [{ do: "delete-row", node: name, key, row }],
      explains: refsOf(symptoms),
      certainty: "certain",
    },
  ];
}

/** A row for an address that the node does not have answers nobody. */
const isOfNode = ({ evidence: { addresses } }: Table, address: IpAddress): boolean =>
  addresses === undefined || addresses.length === 0 || addresses.includes(address);

/** Names with SNI that are bound where the row answers first. */
function namesBound({ evidence }: Table, address: IpAddress, port: number): readonly EvidenceBinding[] {
  return (evidence.bindings?.bindings ?? []).filter(
    (binding) =>
      binding.protocol === "https" &&
      binding.port === port &&
      binding.sni &&
      binding.host !== undefined &&
      (binding.address === "*" || binding.address === address),
  );
}

/** Nobody was seen to get the wrong certificate, but somebody will: nothing was dialled there, and its certificate is not known to be right. */
function isLatent(
  view: View,
  node: Table,
  { row, address, bound }: { row: EvidenceRow; address: IpAddress; bound: readonly EvidenceBinding[] },
): boolean {
  if (bound.length === 0) return false;
  const dialled = view.cellsOf(node.node.name).some(({ endpoint, probes }) => probes.sni !== undefined && endpoint.address === address);
  if (dialled && bound.every(({ host }) => host !== undefined && view.healthy(node.node.name, host as string as HostName))) return false; // healthy() is false for patterns
  const names = namesOfCertificate(node, row);
  return names === undefined || !bound.every(({ host }) => host !== undefined && coversAll(names, host));
}

function namesOfCertificate({ evidence }: Table, row: EvidenceRow): readonly string[] | undefined {
  const thumbprint = rowThumbprint(row, evidence);
  return (
    evidence.certificates?.find((certificate) => certificate.thumbprint === thumbprint)?.dnsNames ??
    (evidence.central?.files === undefined || row.file === undefined ? undefined : fileNamed(evidence.central.files, row.file))?.reading
      ?.facts?.leaf.dnsNames
  );
}

function coversAll(names: readonly string[], host: string): boolean {
  return names.some((name) => {
    const pattern = parseHostPattern(name);
    return pattern !== undefined && (pattern === host || patternCovers(pattern, host as HostName)); // a pattern is covered by itself alone
  });
}

function servedProof(view: View, symptoms: readonly Symptom[]): readonly Proof[] {
  const [first] = symptoms;
  if (first === undefined) return [];
  const hosts = nameSome([...new Set(symptoms.map(({ host }) => host))]);
  const outcome = view.cellOf(first)?.probes.sni?.outcome;
  const shown = outcome?.kind === "served" ? ` (${outcome.thumbprint.slice(0, 8)})` : "";
  return [{ text: `${hosts}: ${first.text}${shown}, which is the row's certificate`, source: `probe of ${first.node} for ${first.host}` }];
}

function boundProof({ evidence }: Table, bound: readonly EvidenceBinding[]): readonly Proof[] {
  if (bound.length === 0) return [];
  const names = nameSome(bound.map(({ host, site }) => host ?? site));
  return [{ text: `bound with SNI on the same port: ${names}`, source: evidence.bindings?.source ?? evidence.source }];
}

function peersProof(view: View, name: string): readonly Proof[] {
  const others = view.having("table").filter(({ node, part }) => node.name !== name && !part.rows.some(({ key }) => key.kind === "ip"));
  const [first] = others;
  if (first === undefined) return [];
  return [
    {
      text: `${nameSome(others.map(({ node }) => node.name))} ${others.length === 1 ? "has" : "have"} no such row`,
      source: first.part.source,
    },
  ];
}
