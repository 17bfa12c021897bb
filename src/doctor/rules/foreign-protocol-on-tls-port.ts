import { nameSome } from "../name-some.ts";
import type { Rule } from "../rule.ts";
import { checkGroups, endpointsText, groupsByNode, peersProof, plural, refsOf, probeOf } from "../wire/groups.ts";

/** The TLS port speaks something that is neither TLS nor HTTP. */
export const foreignProtocolOnTlsPort: Rule = {
  code: "foreign-protocol-on-tls-port",
  title: "A TLS port speaks another protocol",
  severity: "error",
  tier: "wire",
  source: "https://datatracker.ietf.org/doc/html/rfc8446#section-5.1",
  explains:
    "The first octets of the answer are neither a TLS record nor HTTP. Another program listens on the port (SSH, a database, a VPN), or a forwarding rule ends at the wrong port or machine.",
  remedy:
    "See who owns the port on the node: `netstat -ano | findstr :443`, `ss -ltnp 'sport = :443'`; and what it says: `nc ADDRESS 443`. Stop it, or mend the forwarding.",
  check: (view) =>
    checkGroups(view, groupsByNode(view, "foreign-protocol-on-tls-port"), (group) => ({
      summary: `${nameSome(group.nodes)} ${plural(group.nodes, "speaks", "speak")} a protocol that is not TLS on ${endpointsText(group)}`,
      nodes: group.nodes,
      hosts: [],
      proof: [
        { text: `${nameSome(group.hosts)}: the answer does not start as TLS does`, source: probeOf(group.cells[0]) },
        ...peersProof(view, group),
      ],
      remedy: `Stop the program that owns ${endpointsText(group)}, or mend the forwarding that leads there.`,
      effect: "The port is free for the web server.",
      actions: group.nodes.map((node) => ({ do: "manual" as const, node, text: `See which program owns ${endpointsText(group)}` })),
      explains: refsOf(group.cells),
      certainty: "certain",
    })),
};
