import { nameSome } from "../name-some.ts";
import type { Rule } from "../rule.ts";
import { flips } from "../wire/flips.ts";
import { groupBy } from "../group-by.ts";
import { checkFindings, endpointsText, groupOf, illRefs, probeOf } from "../wire/groups.ts";
import { certificateText, servedOf } from "../wire/served.ts";

/** One address answers with two certificates in turn. */
export const addressOfTwoMachines: Rule = {
  code: "address-of-two-machines",
  title: "One address answers as two machines",
  severity: "error",
  tier: "wire",
  source: "https://datatracker.ietf.org/doc/html/rfc5227",
  explains:
    "Connections to the same address for the same name get different certificates back and forth: two machines have the address (a restored copy of a virtual machine, a stale ARP entry), or the address is not a node's but a balancer's. " +
    "Several worker processes with different configurations look the same.",
  remedy:
    "On the node compare its hardware address (`getmac`, `ip link`) with the one that a neighbour sees (`arp -a`, `ip neigh`); take the address from the other machine. When it is a balancer, name it with `--via` and dial the nodes.",
  check: (view) => {
    const cells = view.nodes.flatMap(({ name }) => view.cellsOf(name)).filter(flips);
    const groups = [...groupBy(cells, ({ node }) => node).values()].flatMap((group) => groupOf(view, group));
    return checkFindings(
      view,
      groups.map((group) => {
        const [cell] = group.cells;
        const seen = [servedOf(cell), ...(cell.samples ?? []).map(({ outcome }) => (outcome.kind === "served" ? outcome : undefined))];
        const texts = new Set(seen.flatMap((served) => (served === undefined ? [] : [certificateText(served)])));
        return {
          summary: `${endpointsText(group)} (${nameSome(group.nodes)}) answers ${nameSome(group.hosts)} with ${nameSome([...texts])} in turn`,
          nodes: group.nodes,
          hosts: group.hosts,
          proof: [{ text: `${seen.length} connections, ${texts.size} certificates: ${nameSome([...texts])}`, source: probeOf(cell) }],
          remedy: `Find which machines have the address of ${nameSome(group.nodes)}, and leave it to one.`,
          effect: "Every connection to the address meets the same machine.",
          actions: group.nodes.map((node) => ({ do: "manual" as const, node, text: "Find the other machine with this address" })),
          explains: illRefs(view, group.cells),
          certainty: "likely" as const,
          decides: `the hardware address that a neighbour of ${nameSome(group.nodes)} sees (\`arp -a\`), compared with the node's own`,
        };
      }),
    );
  },
};
