import { nameSome } from "../name-some.ts";
import type { Rule } from "../rule.ts";
import { checkGroups, endpointsText, groupsByNode, peersProof, plural, refsOf, seenProof } from "../wire/groups.ts";

/** Nothing listens on the port, or a firewall says no. */
export const connectionRefused: Rule = {
  code: "connection-refused",
  title: "A node refuses connections",
  severity: "error",
  tier: "wire",
  source: "https://datatracker.ietf.org/doc/html/rfc9293#section-3.5.2",
  explains:
    "The address answers, but nothing accepts connections on the port: the server is stopped, it listens on another address or port, or a firewall rejects the connection.",
  remedy:
    "On the node see who listens: `netstat -ano | findstr :443` (Windows), `ss -ltnp 'sport = :443'` (Linux). Start the server, or mend its listen address. " +
    "certfarm: `certfarm status` shows what each node says of itself. When something listens, look at the firewall.",
  check: (view) =>
    checkGroups(view, groupsByNode(view, "connection-refused"), (group) => ({
      summary: `${nameSome(group.nodes)} ${plural(group.nodes, "refuses", "refuse")} connections to ${endpointsText(group)}`,
      nodes: group.nodes,
      hosts: [],
      proof: [seenProof(group), ...peersProof(view, group)],
      remedy: `Start the server on ${nameSome(group.nodes)}, or let it listen on ${endpointsText(group)}.`,
      effect: "The port accepts connections; what is served on it shows in the next run.",
      actions: group.nodes.map((node) => ({
        do: "manual" as const,
        node,
        text: `See who listens on ${endpointsText(group)}, and start the server`,
      })),
      explains: refsOf(group.cells),
      certainty: "likely",
      decides: `the list of listeners on ${nameSome(group.nodes)}: when something listens there, a firewall rejects the connections`,
    })),
};
