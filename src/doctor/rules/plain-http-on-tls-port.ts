import { nameSome } from "../name-some.ts";
import { redoPart } from "../node/redo-part.ts";
import type { Rule } from "../rule.ts";
import { checkGroups, endpointsText, groupsByNode, peersProof, plural, refsOf, seenProof } from "../wire/groups.ts";

/** The TLS port speaks plain HTTP. */
export const plainHttpOnTlsPort: Rule = {
  code: "plain-http-on-tls-port",
  title: "A TLS port answers with plain HTTP",
  severity: "error",
  tier: "wire",
  source: "https://nginx.org/en/docs/http/configuring_https_servers.html",
  explains:
    "The ClientHello is answered with an HTTP response in the clear: the port is configured without TLS. A binding of protocol http on 443, `listen 443` without `ssl` (nginx), " +
    "`bind :443` without `ssl crt` (HAProxy), another program that took the port, or a port forwarding to the wrong port.",
  remedy:
    "IIS: make the binding of the port https: `Get-WebBinding -Port 443`. nginx: `listen 443 ssl;`. HAProxy: `bind :443 ssl crt PATH`. See who owns the port: `netstat -ano | findstr :443`, `ss -ltnp 'sport = :443'`.",
  check: (view) =>
    checkGroups(view, groupsByNode(view, "plain-http-on-tls-port"), (group) => ({
      summary: `${nameSome(group.nodes)} ${plural(group.nodes, "answers", "answer")} plain HTTP on ${endpointsText(group)}`,
      nodes: group.nodes,
      hosts: [],
      proof: [seenProof(group), ...peersProof(view, group)],
      remedy: `Turn TLS on for ${endpointsText(group)}, or stop the program that took the port.`,
      effect: `Clients of ${endpointsText(group)} get a TLS handshake.`,
      actions: group.nodes.map((node) => redoPart(view, node, "listeners", `Turn TLS on for ${endpointsText(group)}`)),
      explains: refsOf(group.cells),
      certainty: "certain",
    })),
};
