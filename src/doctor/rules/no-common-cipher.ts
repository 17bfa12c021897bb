import { nameSome } from "../name-some.ts";
import type { Rule } from "../rule.ts";
import { checkGroups, groupsByNode, kindProof, peersProof, plural, refsOf, seenProof } from "../wire/groups.ts";

/** Node and client find no cipher suite, group or signature algorithm in common. */
export const noCommonCipher: Rule = {
  code: "no-common-cipher",
  title: "A node shares no cipher suite with clients of today",
  severity: "error",
  tier: "wire",
  source: "https://datatracker.ietf.org/doc/html/rfc8446#section-6.2",
  explains:
    "The node answers every ClientHello with `handshake_failure` or `insufficient_security`, or with parameters that a client of today refuses (a short RSA key or Diffie-Hellman group): " +
    "its list of cipher suites, groups or signature algorithms has nothing in common with the client's. Some servers answer so as well when they have no certificate at all. Schannel logs event 36874.",
  remedy:
    'Align the lists with the nodes that work: Windows: `Get-TlsCipherSuite`, group policy "SSL Cipher Suite Order". nginx: `ssl_ciphers`, `ssl_ecdh_curve`. HAProxy: `ssl-default-bind-ciphers`, `ssl-default-bind-curves`.',
  check: (view) =>
    checkGroups(view, groupsByNode(view, "no-common-cipher"), (group) => ({
      summary: `${nameSome(group.nodes)} ${plural(group.nodes, "finds", "find")} no cipher suite or group in common with clients of today`,
      nodes: group.nodes,
      hosts: group.hosts,
      proof: [
        seenProof(group),
        ...kindProof(group, "tls12", "TLS 1.2 alone"),
        ...kindProof(group, "rsa", "a client that takes RSA alone"),
        ...peersProof(view, group),
      ],
      remedy: `Compare the cipher suites and groups of ${nameSome(group.nodes)} with those of a node that works, and align them.`,
      effect: "Clients of today find a cipher suite.",
      actions: group.nodes.map((node) => ({
        do: "manual" as const,
        node,
        text: "Align the cipher suites and groups with a node that works",
      })),
      explains: refsOf(group.cells),
      certainty: "likely",
      others: ["name-refused", "client-certificate-required"],
      decides: `the cipher suites of ${nameSome(group.nodes)} (\`Get-TlsCipherSuite\`, \`openssl ciphers\`), and whether it has a certificate for ${group.hosts[0] ?? "the host"}`,
    })),
};
