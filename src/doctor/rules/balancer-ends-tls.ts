import { nameSome } from "../name-some.ts";
import type { Rule } from "../rule.ts";
import { shorten } from "../shorten.ts";
import { checkGroups, groupsByNode, peersProof, plural, probeOf, refsOf } from "../wire/groups.ts";
import { certificateText, covers, servedOf } from "../wire/served.ts";

/** The certificate that clients get is the balancer's own. */
export const balancerEndsTls: Rule = {
  code: "balancer-ends-tls",
  title: "A balancer answers with a certificate of its own",
  severity: "error",
  tier: "wire",
  source: "https://learn.microsoft.com/en-us/azure/architecture/guide/technology-choices/load-balancing-overview",
  explains:
    "Through the balancer a client gets a certificate that no node serves: the balancer ends TLS itself, or another machine than the nodes that were dialled answers behind it. Certificates that are renewed on the nodes do not reach such clients.",
  remedy:
    "Renew the certificate in the balancer, or let it pass TLS through (layer 4) to the nodes. When the balancer is not meant to end TLS, look which servers are in its pool.",
  check: (view) =>
    checkGroups(view, groupsByNode(view, "balancer-ends-tls"), (group) => {
      const [cell] = group.cells;
      const served = servedOf(cell);
      const good = group.cells.every((one) => {
        const leaf = servedOf(one);
        return leaf?.verified === true && covers(leaf, one.host);
      });
      return {
        summary: `${nameSome(group.nodes)} ${plural(group.nodes, "answers", "answer")} ${nameSome(group.hosts)} with ${served === undefined ? "a certificate" : certificateText(served)}, which no node serves`,
        nodes: group.nodes,
        hosts: group.hosts,
        proof: [
          {
            text: served === undefined ? "another certificate" : `${certificateText(served)}, issued by ${shorten(served.issuer)}`,
            source: probeOf(cell),
          },
          ...peersProof(view, group),
        ],
        remedy: good
          ? `Nothing, when ${nameSome(group.nodes)} is meant to end TLS; its certificates must be renewed there.`
          : `Put the right certificate into ${nameSome(group.nodes)}, or let it pass TLS connections through to the nodes.`,
        effect: good ? "Nothing changes." : `Clients of ${nameSome(group.hosts)} get a certificate that they accept.`,
        actions: good
          ? []
          : group.nodes.map((node) => ({ do: "manual" as const, node, text: "Replace its certificate, or pass TLS connections through" })),
        explains: refsOf(group.cells),
        certainty: "likely" as const,
        decides: `the configuration of ${nameSome(group.nodes)}: whether it ends TLS, and which servers are in its pool`,
        ...(good ? { severity: "notice" as const } : {}),
      };
    }),
};
