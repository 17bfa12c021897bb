import { nameSome } from "../name-some.ts";
import type { Rule } from "../rule.ts";
import { checkGroups, groupsByHosts, peersProof, refsOf, symptomProof } from "../wire/groups.ts";

/** Through the balancer a host fails that every node serves. */
export const balancerFails: Rule = {
  code: "balancer-fails",
  title: "A host fails through the balancer and works on every node",
  severity: "error",
  tier: "wire",
  source: "https://learn.microsoft.com/en-us/azure/load-balancer/load-balancer-troubleshoot-health-probe-status",
  explains:
    "Every node serves the host when it is dialled directly, and no connection through the balancer ends well: it chooses servers by name and has no rule for this one, it believes that all its servers are down " +
    "(a health check that cannot succeed: no SNI, an old TLS version), or its servers are not the nodes that were dialled.",
  remedy:
    "Look at the balancer's list of servers and at their health as it sees it, and at its rules for names: HAProxy: `show servers state`; nginx: the `map $ssl_preread_server_name`; certfarm: `certfarm status`.",
  check: (view) =>
    checkGroups(view, groupsByHosts(view, "balancer-fails"), (group) => ({
      summary: `${nameSome(group.hosts)} fails through ${nameSome(group.nodes)}, and every node serves it directly`,
      nodes: group.nodes,
      hosts: group.hosts,
      proof: [symptomProof(view, group), ...peersProof(view, group)],
      remedy: `Look at the servers of ${nameSome(group.nodes)} and their health as it sees it, and at its rules for ${nameSome(group.hosts)}.`,
      effect: "Nothing changes.",
      actions: group.nodes.map((node) => ({
        do: "manual" as const,
        node,
        text: `Look at the pool, its health checks and the rules for ${nameSome(group.hosts)}`,
      })),
      explains: refsOf(group.cells),
      certainty: "likely",
      others: ["balancer-strips-sni", "proxy-protocol-mismatch"],
      decides: `the health of the nodes as ${nameSome(group.nodes)} sees it, and its rules for names`,
    })),
};
