import { nameSome } from "../name-some.ts";
import type { Rule } from "../rule.ts";
import { checkGroups, endpointsText, groupsByNode, peersProof, plural, refsOf, seenProof } from "../wire/groups.ts";

/** A connection comes about, and no TLS answer follows. */
export const handshakeTimesOut: Rule = {
  code: "handshake-times-out",
  title: "A node takes connections and does not answer the ClientHello",
  severity: "error",
  tier: "wire",
  source: "https://tldr.fail",
  explains:
    "The connection is accepted and the ClientHello stays without an answer. The server process hangs or has no thread left, it waits for something that is not TLS, " +
    "a disk or share that it reads the certificate from does not answer, or a device on the way loses a ClientHello that does not fit one packet.",
  remedy:
    "On the node look at the server process: CPU, threads, the reachability of the share with the central certificates. Dial it from the node itself: `openssl s_client -connect 127.0.0.1:443 -servername HOST`. " +
    "An answer there means that the way loses large packets: try `openssl s_client -groups X25519` from outside, whose ClientHello is small.",
  check: (view) =>
    checkGroups(view, groupsByNode(view, "handshake-times-out"), (group) => ({
      summary: `${nameSome(group.nodes)} ${plural(group.nodes, "takes", "take")} connections on ${endpointsText(group)} and ${plural(group.nodes, "does", "do")} not answer the ClientHello`,
      nodes: group.nodes,
      hosts: group.hosts,
      proof: [seenProof(group), ...peersProof(view, group)],
      remedy: `Dial ${nameSome(group.nodes)} from the machine itself: \`openssl s_client -connect 127.0.0.1:443 -servername ${group.hosts[0] ?? ""}\`; without an answer there, look at the server process.`,
      effect: "Nothing changes; the answer tells the server from the way to it.",
      actions: group.nodes.map((node) => ({
        do: "manual" as const,
        node,
        text: "Dial the node from the machine itself, and look at its server process",
      })),
      explains: refsOf(group.cells),
      certainty: "likely",
      decides: "a handshake from the node itself, and one with a small ClientHello from outside (`openssl s_client -groups X25519`)",
    })),
};
