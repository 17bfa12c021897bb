import type { FindingDraft, RepairAction } from "../finding.ts";
import { centralBindings } from "../node/bound-hosts.ts";
import { askedProof, peersProof, wantingCentral } from "../node/central-asked.ts";
import { deadStoreRefs } from "../node/central-symptoms.ts";
import { result, withoutEvidence } from "../node/rule-results.ts";
import { rowsOfPort } from "../node/table-rows.ts";
import type { Rule } from "../rule.ts";
import type { Evident, View } from "../view.ts";

/** The switch is each server's own: it is in the registry, not in the shared configuration. */
export const centralStoreDisabled: Rule = {
  code: "central-store-disabled",
  title: "The central store is turned off on a node",
  severity: "error",
  tier: "node",
  source:
    "https://learn.microsoft.com/en-us/iis/get-started/whats-new-in-iis-8/iis-80-centralized-ssl-certificate-support-ssl-scalability-and-manageability",
  explains:
    "Whether a server uses the central store is a setting of its own registry, which shared configuration does not carry. Turned off, bindings that ask for central certificates have none, " +
    "and the central row goes away with the setting.",
  remedy:
    "IIS, on that server: turn the store on with the same location and user as on the others (`Enable-WebCentralCertProvider`), then look whether the central row is back: `netsh http show sslcert`.",
  check(view) {
    const nodes = wantingCentral(view).filter(({ part }) => part.enabled !== undefined && part.installed !== false);
    if (nodes.length === 0) return withoutEvidence(view, "central");
    return result(nodes.filter(({ part }) => part.enabled === false).map((node) => finding(view, nodes, node)));
  },
};

function finding(view: View, all: readonly Evident<"central">[], node: Evident<"central">): FindingDraft {
  const { name } = node.node;
  const peers = all.filter(({ part }) => part.enabled === true);
  return {
    summary: `${name} has the central store turned off`,
    nodes: [name],
    hosts: [],
    proof: [
      { text: "the store is not enabled", source: node.part.source },
      ...askedProof(node.evidence),
      ...peersProof(peers, "has it on", "have it on"),
    ],
    remedy: `Turn the central store on on ${name}${placeText(peers)}, and add the central row if it does not come back.`,
    effect: `${name} reads certificates from the central store.`,
    actions: [...settings(name, node, peers), ...rowActions(node)],
    explains: deadStoreRefs(view, node),
    certainty: "certain",
  };
}

function placeText([peer]: readonly Evident<"central">[]): string {
  return peer?.part.location === undefined ? "" : `, with the location of ${peer.node.name}: ${peer.part.location}`;
}

function settings(name: string, node: Evident<"central">, [peer]: readonly Evident<"central">[]): readonly RepairAction[] {
  const location = node.part.location ?? peer?.part.location;
  const user = node.part.user ?? peer?.part.user;
  return location === undefined ? [] : [{ do: "set-central-store", node: name, location, ...(user === undefined ? {} : { user }) }];
}

function rowActions({ node, evidence }: Evident<"central">): readonly RepairAction[] {
  const { table } = evidence;
  if (table === undefined) return [];
  const ports = new Set(centralBindings(evidence.bindings).map(({ port }) => port));
  return [...ports]
    .filter((port) => rowsOfPort(table, port)?.central === undefined)
    .map((port) => ({ do: "add-central-row", node: node.name, port }));
}
