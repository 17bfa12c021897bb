import { nameSome } from "../name-some.ts";
import type { Rule } from "../rule.ts";
import { checkGroups, endpointsText, groupsByNode, peersProof, plural, refsOf, seenProof } from "../wire/groups.ts";

/** Nobody answers at the address. */
export const connectionTimesOut: Rule = {
  code: "connection-times-out",
  title: "A node does not answer connections",
  severity: "error",
  tier: "wire",
  source: "https://datatracker.ietf.org/doc/html/rfc9293#section-3.8.3",
  explains:
    "Nothing comes back from the address: the machine is off or has another address, a firewall drops the packets, or the route ends before it. " +
    "When no node answers at all, the way from the doctor to the farm is more likely than the farm.",
  remedy:
    "Compare the node's addresses (`ipconfig`, `ip addr`) with the one that was dialled; allow TCP 443 in its firewall: " +
    '`New-NetFirewallRule -DisplayName "HTTPS" -Direction Inbound -Protocol TCP -LocalPort 443 -Action Allow` (Windows), `nft list ruleset` (Linux). Run the doctor from a machine beside the nodes as well.',
  check: (view) =>
    checkGroups(view, groupsByNode(view, "connection-times-out"), (group) => ({
      summary: `${nameSome(group.nodes)} ${plural(group.nodes, "does", "do")} not answer connections to ${endpointsText(group)}`,
      nodes: group.nodes,
      hosts: [],
      proof: [seenProof(group), ...peersProof(view, group)],
      remedy: group.differs
        ? `See that ${nameSome(group.nodes)} is up and has the address, and let its firewall pass the port.`
        : "Run the doctor from a machine beside the nodes: when they answer there, the network between drops the connections.",
      effect: "Connections come about; what is served on them shows in the next run.",
      actions: group.nodes.map((node) => ({
        do: "manual" as const,
        node,
        text: `See that the machine is up and that its firewall passes ${endpointsText(group)}`,
      })),
      explains: refsOf(group.cells),
      certainty: "likely",
      decides: `the same connection from a machine beside ${nameSome(group.nodes)}: answered there, the network or a firewall drops it; unanswered, the machine is off or has another address`,
    })),
};
