import type { HostName, HostPattern } from "../../base/index.ts";
import type { EvidenceBinding } from "../evidence.ts";
import type { FindingDraft, Proof, Symptom } from "../finding.ts";
import { nameSome } from "../name-some.ts";
import { isUnserved, refsOf } from "../node/central-symptoms.ts";
import { seenProof } from "../node/host-texts.ts";
import { result, withoutEvidence } from "../node/rule-results.ts";
import { bindingPort, rowsOfPort } from "../node/table-rows.ts";
import { deletedProof } from "../node/windows-events.ts";
import type { Rule } from "../rule.ts";
import type { Evident, View } from "../view.ts";

type Table = Evident<"table">;

/** A binding of one certificate by name, without the row that makes it work on this node. */
export const hostRowMissing: Rule = {
  code: "host-row-missing",
  title: "A binding by name has no row in a node's table",
  severity: "error",
  tier: "node",
  source: "https://learn.microsoft.com/en-us/windows-server/administration/windows-commands/netsh-http",
  explains:
    "A binding with SNI and a certificate of its own needs a row for its name in the binding table of every server. Shared configuration carries the binding, not the row; " +
    "a deployment tool or a change by hand may also have taken the row out. The handshake then falls through to rows of lower rank, or is reset.",
  remedy:
    "IIS, on that server: `netsh http add sslcert hostnameport=NAME:443 certhash=… certstorename=My appid={4dc3e181-e14b-4a21-b022-59fc669b0914}`, with the hash that the other servers have; or move the site to central certificates. " +
    "certfarm: `certfarm repair`, or set the node to `reconcile: mend`.",
  check(view) {
    const tables = view.having("table").filter(({ evidence }) => evidence.bindings !== undefined);
    if (tables.length === 0) return withoutEvidence(view, view.having("table").length === 0 ? "table" : "bindings");
    return result(tables.flatMap((node) => findings(view, node)));
  },
};

function findings(view: View, node: Table): readonly FindingDraft[] {
  const missing = (node.evidence.bindings?.bindings ?? []).filter((binding) => isMissing(view, node, binding));
  const names = new Set(missing.map(({ host, port }) => `${host ?? ""}:${port}`));
  if (names.size === 0) return [];
  const symptoms = view.symptomsOf(node.node.name).filter((symptom) => {
    const outcome = view.cellOf(symptom)?.probes.sni?.outcome;
    const fits = outcome !== undefined && (outcome.kind === "served" ? symptom.kind === "wrong-name" : isUnserved(outcome));
    return fits && names.has(`${symptom.host}:${bindingPort(node.evidence, symptom.endpoint)}`);
  });
  return [draft(node, missing, symptoms)];
}

function isMissing(view: View, { node, part }: Table, { protocol, central, sni, host, port }: EvidenceBinding): boolean {
  if (protocol !== "https" || central || !sni || host === undefined) return false;
  const rows = rowsOfPort(part, port);
  // healthy() is false for wildcards
  return rows?.host.has(host) !== true && rows?.scoped.has(host) !== true && !view.healthy(node.name, host as string as HostName);
}

function draft(node: Table, missing: readonly EvidenceBinding[], symptoms: readonly Symptom[]): FindingDraft {
  const { name } = node.node;
  const hosts = [...new Set(missing.flatMap(({ host }) => host ?? []))];
  const { evidence, part } = node;
  return {
    summary: `${name} has no row for ${nameSome(hosts)}`,
    nodes: [name],
    hosts: hosts.filter((host: HostPattern) => !host.startsWith("*.")).map((host) => host as string as HostName), // no `*.`: a name
    proof: [
      { text: `${part.rows.length} ${part.rows.length === 1 ? "row" : "rows"}, none of them for ${nameSome(hosts)}`, source: part.source },
      boundProof(node, hosts),
      ...seenProof(symptoms),
      ...deletedProof(evidence),
    ],
    remedy:
      evidence.make === "certfarm"
        ? `Have ${name} mend its table: certfarm repair, or set it to \`reconcile: mend\`.`
        : `On ${name} add the row again: netsh http add sslcert hostnameport=${hosts[0] ?? ""}:${missing[0]?.port ?? 443} with the hash and store of a server that has it.`,
    effect: `${name} serves ${nameSome(hosts)} with the certificate of the binding.`,
    actions: [
      evidence.make === "certfarm"
        ? { do: "resync", node: name, part: "table" }
        : { do: "manual", node: name, text: `add the rows of ${nameSome(hosts)} again` },
    ],
    explains: refsOf(symptoms),
    certainty: "certain",
  };
}

const boundProof = ({ evidence: { bindings, source } }: Table, hosts: readonly string[]): Proof => ({
  text: `bound with SNI and a certificate of ${hosts.length === 1 ? "its" : "their"} own: ${nameSome(hosts)}`,
  source: bindings?.source ?? source,
});
