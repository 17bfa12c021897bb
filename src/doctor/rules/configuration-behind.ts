import type { FindingDraft } from "../finding.ts";
import { nameSome } from "../name-some.ts";
import { result, withoutEvidence } from "../node/rule-results.ts";
import { hostsUnknownTo } from "../node/unbound-hosts.ts";
import { usualOf } from "../node/usual-of.ts";
import type { Rule } from "../rule.ts";
import type { Evident, View } from "../view.ts";

type Configured = Evident<"configuration">;

/** Nodes that should have one configuration, and have two. */
export const configurationBehind: Rule = {
  code: "configuration-behind",
  title: "A node has another configuration than its peers",
  severity: "warning",
  tier: "node",
  source: "https://learn.microsoft.com/en-us/iis/web-hosting/configuring-servers-in-the-windows-web-platform/shared-configuration_211",
  explains:
    "The nodes of a farm are to have one configuration. A node whose replica is behind, or whose copy was edited, lacks bindings that the others have: it resets these names or answers with another site.",
  remedy:
    "IIS: see what replicates applicationHost.config to that server (DFS-R backlog: `dfsrdiag backlog`), or point it at the shared configuration. certfarm: `certfarm status` shows revisions; a node that stays behind says why in its log.",
  check(view) {
    const nodes = view.having("configuration").filter(isComparable);
    if (nodes.length === 0) return withoutEvidence(view, "configuration");
    if (nodes.length === 1) return { status: "not-applicable", why: "only one node tells its configuration" };
    return result([
      ...revisionFindings(view, nodes.filter(isCertfarm)),
      ...digestFindings(
        view,
        nodes.filter((node) => !isCertfarm(node)),
      ),
    ]);
  },
};

const isCertfarm = ({ part }: Configured): boolean => part.revision !== undefined;

/** A node with a problem, or whose redirection is off, has a cause of its own. */
const isComparable = ({ part }: Configured): boolean =>
  (part.revision !== undefined || part.digest !== undefined) && part.problem === undefined && part.redirection?.enabled !== false;

function revisionFindings(view: View, nodes: readonly Configured[]): readonly FindingDraft[] {
  const newest = Math.max(...nodes.map(({ part }) => part.revision ?? 0));
  const peers = nodes.filter(({ part }) => part.revision === newest);
  return nodes
    .filter((node) => !peers.includes(node))
    .map((node) => {
      const { name } = node.node;
      return {
        ...draft(view, node, `revision ${newest} is on ${nameSome(peers.map((peer) => peer.node.name))}`, peers),
        summary: `${name} has revision ${node.part.revision ?? 0} of the configuration, the newest is ${newest}`,
        remedy: `See that ${name} reaches the store: certfarm status; then certfarm repair makes it reconcile.`,
        actions: [{ do: "resync", node: name, part: "configuration" }] as const,
      };
    });
}

function digestFindings(view: View, nodes: readonly Configured[]): readonly FindingDraft[] {
  const usual = usualOf(
    nodes,
    ({ part }) => part.digest ?? "",
    // Of two nodes the one with fewer symptoms has the better claim.
    ({ node }) => -view.symptomsOf(node.name).length,
  );
  return nodes
    .filter((node) => !usual.includes(node))
    .map((node) => ({
      ...draft(view, node, `${nameSome(usual.map((peer) => peer.node.name))} ${usual.length === 1 ? "has" : "have"} another`, usual),
      ...(usual.length * 2 > nodes.length
        ? {}
        : {
            certainty: "likely" as const,
            others: [`${nameSome(usual.map((peer) => peer.node.name))} ${usual.length === 1 ? "is" : "are"} behind instead`],
            decides: "which of the files is the newer one",
          }),
    }));
}

function draft(view: View, node: Configured, peersText: string, peers: readonly Configured[]): FindingDraft {
  const { name } = node.node;
  const explains = hostsUnknownTo(view, node, "none");
  return {
    summary: `${name} has another configuration than ${nameSome(peers.map((peer) => peer.node.name))}`,
    nodes: [name],
    hosts: [],
    proof: [
      {
        text:
          node.part.revision === undefined ? `its digest is ${(node.part.digest ?? "").slice(0, 12)}` : `revision ${node.part.revision}`,
        source: node.part.source,
      },
      { text: peersText, source: peers[0]?.part.source ?? "" },
    ],
    remedy: `Bring the configuration of ${nameSome(peers.map((peer) => peer.node.name))} to ${name}; see what replicates it.`,
    effect: `${name} has the sites and bindings of its peers.`,
    actions: [{ do: "manual", node: name, text: "bring the shared configuration to this node" }],
    explains,
    certainty: "certain",
    severity: explains.length > 0 ? "error" : "warning",
  };
}
