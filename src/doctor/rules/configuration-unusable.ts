import type { FindingDraft } from "../finding.ts";
import { makeName, result, withoutEvidence } from "../node/rule-results.ts";
import { hostsUnknownTo } from "../node/unbound-hosts.ts";
import { EVENTS, eventProof } from "../node/windows-events.ts";
import type { Rule } from "../rule.ts";
import { shorten } from "../shorten.ts";
import type { Evident, View } from "../view.ts";

/** A file that was torn in transit, or a revision that was refused. */
export const configurationUnusable: Rule = {
  code: "configuration-unusable",
  title: "A node cannot use its configuration",
  severity: "error",
  tier: "node",
  source: "https://learn.microsoft.com/en-us/iis/web-hosting/configuring-servers-in-the-windows-web-platform/shared-configuration_211",
  explains:
    "The node's copy of the configuration is not well-formed, or was refused. On IIS this happens when replication replaces applicationHost.config while it is read: event 2297, sites that answer 503, and no change reaches the node any more. " +
    "A certfarm node goes on with its last good revision and says why it refused the newer one.",
  remedy:
    "IIS: bring a whole copy of applicationHost.config to that server (the folder inetsrv\\config\\… of a healthy one, or a backup from inetpub\\history), then `iisreset`. certfarm: correct what the problem names and apply it: `certfarm config apply farm.yaml`.",
  check(view) {
    const nodes = view.having("configuration");
    if (nodes.length === 0) return withoutEvidence(view, "configuration", ["iis", "certfarm", "nginx", "haproxy"]);
    return result(nodes.flatMap((node) => (node.part.problem === undefined ? [] : [finding(view, node, node.part.problem)])));
  },
};

function finding(view: View, node: Evident<"configuration">, problem: string): FindingDraft {
  const { name } = node.node;
  const isCertfarm = node.evidence.make === "certfarm";
  return {
    summary: isCertfarm
      ? `${name} refuses the newest configuration and goes on with revision ${node.part.revision ?? 0}`
      : `${name} cannot read its ${makeName(node.evidence.make)} configuration`,
    nodes: [name],
    hosts: [],
    proof: [{ text: shorten(problem), source: node.part.source }, ...eventProof(node.evidence, EVENTS.configurationMalformed)],
    remedy: takenByOthers(view, node)
      ? `Others have taken it, so ${name} should read it again: certfarm repair`
      : isCertfarm
        ? "Correct what the problem names, then: certfarm config apply farm.yaml"
        : `Bring a whole copy of the configuration to ${name}, then restart the service.`,
    effect: `${name} follows the shared configuration again.`,
    actions: takenByOthers(view, node)
      ? [{ do: "resync", node: name, part: "configuration" }]
      : [{ do: "manual", node: name, text: `bring a usable configuration to ${name}` }],
    explains: hostsUnknownTo(view, node, "any-trouble"),
    certainty: "certain",
  };
}

/** Another certfarm node has a revision as new as this one's, and no trouble with it or a newer one: then the text is well. */
function takenByOthers(view: View, { node, evidence, part }: Evident<"configuration">): boolean {
  if (evidence.make !== "certfarm") return false;
  const peers = view.having("configuration").filter((peer) => peer.evidence.make === "certfarm" && peer.node.name !== node.name);
  const newest = Math.max(0, ...peers.map((peer) => peer.part.revision ?? 0));
  return peers.length > 0 && newest >= (part.revision ?? 0) && peers.every((peer) => peer.part.problem === undefined);
}
