import { nameSome } from "../name-some.ts";
import type { Rule } from "../rule.ts";
import { shorten } from "../shorten.ts";
import { checkGroups, groupsByHosts, kindProof, peersProof, plural, probeOf, refsOf, type Group } from "../wire/groups.ts";
import { describeOutcome } from "../symptoms.ts";
import { outcomeOf } from "../wire/served.ts";

/** The node wants a certificate of the client. */
export const clientCertificateRequired: Rule = {
  code: "client-certificate-required",
  title: "A node asks for a client certificate",
  severity: "error",
  tier: "wire",
  source:
    "https://techcommunity.microsoft.com/blog/iis-support-blog/windows-server-2022-iis-web-site-tls-1-3-does-not-work-with-client-certificate-a/4129738",
  explains:
    "The node demands a certificate of the client. In TLS 1.3 the client learns it only after its own handshake is done, so the request dies; over HTTP/2 the server cannot ask later and answers `HTTP_1_1_REQUIRED`. " +
    "When only some nodes ask, clients fail on these alone: on IIS `clientcertnegotiation` is a setting of each server's row.",
  remedy:
    "IIS: compare `netsh http show sslcert` between the servers (Negotiate Client Certificate), and set it on all rows or on none: `netsh http update sslcert hostnameport=HOST:443 clientcertnegotiation=enable`. " +
    "nginx: `ssl_verify_client`. HAProxy: `verify required` on `bind`.",
  check: (view) =>
    checkGroups(view, groupsByHosts(view, "client-certificate-required"), (group) => ({
      summary: `${nameSome(group.nodes)} ${plural(group.nodes, "asks", "ask")} clients of ${nameSome(group.hosts)} for a certificate`,
      nodes: group.nodes,
      hosts: group.hosts,
      proof: [
        { text: refusal(group), source: probeOf(group.cells[0]) },
        ...kindProof(group, "tls12", "TLS 1.2 alone"),
        ...peersProof(view, group),
      ],
      remedy: group.differs
        ? `Ask for client certificates on every node or on none: compare the settings of ${nameSome(group.nodes)} with the others.`
        : `When ${nameSome(group.hosts)} is for clients with certificates, nothing; else stop asking for them.`,
      effect: "All nodes treat clients without a certificate alike.",
      actions: group.nodes.map((node) => ({
        do: "manual" as const,
        node,
        text: `Compare the client certificate settings of ${nameSome(group.hosts)} with the other nodes`,
      })),
      explains: refsOf(group.cells),
      certainty: "certain",
      ...(group.differs ? {} : { severity: "notice" as const }),
    })),
};

function refusal({ cells: [cell] }: Group): string {
  const outcome = outcomeOf(cell);
  return outcome?.kind === "served"
    ? `the handshake ends well and the request dies: ${shorten(cell.request?.problem ?? "")}`
    : describeOutcome(outcome ?? { kind: "closed" });
}
