import { nameSome } from "../name-some.ts";
import type { Rule } from "../rule.ts";
import { outcomeOf } from "../wire/served.ts";
import { describeOutcome } from "../symptoms.ts";
import { checkGroups, groupsByNode, plural, probeOf, refsOf, symptomProof } from "../wire/groups.ts";

/** The name is lost on the way through the balancer. */
export const balancerStripsSni: Rule = {
  code: "balancer-strips-sni",
  title: "A balancer does not pass the name on",
  severity: "error",
  tier: "wire",
  source: "https://docs.haproxy.org/3.0/configuration.html#5.2-sni",
  explains:
    "Dialled directly the nodes serve the host; through the balancer a client gets what the nodes give to clients without a name. The balancer ends TLS and opens its own connection to the nodes without SNI, or it connects by address.",
  remedy:
    "Let the balancer pass the connection through (layer 4), or send the name: HAProxy: `server … ssl sni req.hdr(host)`; nginx: `proxy_ssl_server_name on; proxy_ssl_name $host;`; ARR cannot send it for every version: use layer 4.",
  check: (view) =>
    checkGroups(view, groupsByNode(view, "balancer-strips-sni"), (group) => {
      const [cell] = group.cells;
      const direct = view.cellsFor(cell.host)[0];
      const bare = view.cellsFor(cell.host).find((node) => outcomeOf(node, "no-sni") !== undefined);
      return {
        summary: `${nameSome(group.nodes)} ${plural(group.nodes, "seems", "seem")} to lose the name: through it ${nameSome(group.hosts)} ${plural(group.hosts, "fares", "fare")} as clients without SNI do`,
        nodes: group.nodes,
        hosts: group.hosts,
        proof: [
          symptomProof(view, group),
          ...(direct === undefined
            ? []
            : [{ text: `${direct.node} directly: ${describeOutcome(outcomeOf(direct) ?? { kind: "closed" })}`, source: probeOf(direct) }]),
          ...(bare === undefined
            ? []
            : [
                {
                  text: `${bare.node} without SNI: ${describeOutcome(outcomeOf(bare, "no-sni") ?? { kind: "closed" })}`,
                  source: probeOf(bare),
                },
              ]),
        ],
        remedy: `Let ${nameSome(group.nodes)} pass TLS connections through, or send the name to the nodes.`,
        effect: `The nodes see the name, and serve ${nameSome(group.hosts)} through ${nameSome(group.nodes)} as they do directly.`,
        actions: group.nodes.map((node) => ({
          do: "manual" as const,
          node,
          text: "Pass TLS connections through, or send SNI to the nodes",
        })),
        explains: refsOf(group.cells),
        certainty: "likely" as const,
        others: ["balancer-ends-tls", "proxy-protocol-mismatch"],
        decides: `the configuration of ${nameSome(group.nodes)}: whether it ends TLS, and whether its connections to the nodes carry SNI`,
      };
    }),
};
