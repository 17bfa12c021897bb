import type { HostName } from "../../base/index.ts";
import type { Cell } from "../examination.ts";
import type { FindingDraft } from "../finding.ts";
import { nameSome } from "../name-some.ts";
import type { Rule } from "../rule.ts";
import { describeOutcome } from "../symptoms.ts";
import type { View } from "../view.ts";
import { connectionsOf, isGood, isMixed } from "../wire/connections.ts";
import { groupBy } from "../group-by.ts";
import { illRefs, probeOf } from "../wire/groups.ts";
import { outcomeOf } from "../wire/served.ts";

/** The balancer goes on sending clients to a node that cannot serve them. */
export const balancerKeepsDeadNode: Rule = {
  code: "balancer-keeps-dead-node",
  title: "A balancer sends clients to a server that does not serve the host",
  severity: "error",
  tier: "wire",
  source: "https://learn.microsoft.com/en-us/azure/load-balancer/load-balancer-custom-probe-overview",
  explains:
    "Of several connections through the balancer some fail and some succeed: its health check does not see what clients see. A check of TCP or of HTTP on port 80 is content with a server whose TLS is dead. " +
    "With affinity (source address, cookie) one client always meets the same server, so the fault shows for some people all the time and for others never.",
  remedy:
    "Check health as a client does: TLS with SNI and the certificate verified, for each host. HAProxy: `option httpchk`, `check-ssl check-sni HOST ca-file …`. Azure: an HTTPS probe of a path of the site. certfarm's balancer sends a host only to nodes that proved it.",
  check: (view) => {
    const sampled = view.balancers.flatMap(({ name }) => view.cellsOf(name)).filter(({ samples = [] }) => samples.length > 1);
    if (sampled.length === 0) return { status: "not-applicable", why: "no balancer was sampled (`--via`)" };
    const alike = groupBy(sampled, (cell) => `${cell.node} ${cell.endpoint.port} ${illNodes(view, cell.host).join(" ")}`);
    const findings = [
      ...[...alike.values()].flatMap((cells) => failing(view, cells)),
      ...[...groupBy(sampled, (cell) => `${cell.node} ${cell.endpoint.port}`).values()].flatMap((cells) => masking(view, cells)),
    ];
    return findings.length === 0 ? { status: "passed" } : { status: "found", findings };
  },
};

const illNodes = (view: View, host: HostName): readonly string[] => [
  ...new Set(
    view
      .cellsFor(host)
      .filter((cell) => outcomeOf(cell) !== undefined && !view.healthy(cell.node, host))
      .map(({ node }) => node),
  ),
];

function failing(view: View, cells: readonly Cell[]): readonly FindingDraft[] {
  const mixed = cells.filter(isMixed);
  const [cell] = mixed;
  if (cell === undefined) return [];
  const outcomes = connectionsOf(cell);
  const bad = outcomes.filter((outcome) => !isGood(outcome, cell.host));
  const hosts = mixed.map(({ host }) => host);
  const ill = illNodes(view, cell.host);
  const what = ill.length > 0 ? nameSome(ill) : "a server that was not dialled or fails only sometimes";
  return [
    {
      summary: `${cell.node} sends clients of ${nameSome(hosts)} to ${what}: ${bad.length} of ${outcomes.length} connections through it fail`,
      nodes: [cell.node],
      hosts,
      proof: [
        {
          text: `${bad.length} of ${outcomes.length} connections for ${cell.host} fail: ${nameSome([...new Set(bad.map(describeOutcome))], 2)}`,
          source: probeOf(cell),
        },
        ill.length > 0
          ? { text: `${nameSome(ill)} fails when dialled directly`, source: `probe of ${ill[0] ?? ""}` }
          : { text: "every node that was dialled serves it", source: "probes of the nodes" },
      ],
      remedy: `Let ${cell.node} check TLS with SNI for each host, and take ${ill.length > 0 ? nameSome(ill) : "the failing server"} out meanwhile.`,
      effect: "Clients are sent to servers that serve them.",
      actions: [
        {
          do: "manual",
          node: cell.node,
          text: `Take ${ill.length > 0 ? nameSome(ill) : "the failing server"} out of the pool, and check health by TLS with SNI`,
        },
      ],
      explains: illRefs(view, [...mixed, ...onlyTriedOnce(view, cell.node)]),
      certainty: ill.length > 0 ? "certain" : "likely",
      ...(ill.length > 0 ? { severity: "warning" as const } : { decides: `the list of servers behind ${cell.node}: dial each of them` }),
    },
  ];
}

/** Hosts of this balancer that every node serves and that met it with one connection: those that fail met the same dead server. */
const onlyTriedOnce = (view: View, balancer: string): readonly Cell[] =>
  view.cellsOf(balancer).filter(({ host, samples }) => samples === undefined && illNodes(view, host).length === 0);

/** Nothing fails through the balancer although a node is ill: it was taken out, or this client never meets it. */
function masking(view: View, cells: readonly Cell[]): readonly FindingDraft[] {
  const good = cells.filter(
    (cell) => connectionsOf(cell).every((outcome) => isGood(outcome, cell.host)) && illNodes(view, cell.host).length > 0,
  );
  const [cell] = good;
  // certfarm's balancer sends a host to nodes that proved it, and its status says so: there is nothing to guess.
  if (cell === undefined || view.nodes.every(({ evidence }) => evidence?.make === "certfarm")) return [];
  const hosts = [...new Set(good.map(({ host }) => host))];
  const ill = [...new Set(hosts.flatMap((host) => illNodes(view, host)))];
  const isAre = ill.length === 1 ? "is" : "are";
  const count = connectionsOf(cell).length;
  return [
    {
      summary: `Through ${cell.node} all is well although ${nameSome(ill)} ${isAre} not: out of rotation, or hidden from this client by affinity`,
      nodes: [cell.node],
      hosts,
      proof: [
        { text: `${count} of ${count} connections for ${cell.host} end well`, source: probeOf(cell) },
        { text: `${nameSome(ill)} ${ill.length === 1 ? "fails" : "fail"} when dialled directly`, source: `probe of ${ill[0] ?? ""}` },
      ],
      remedy: `See in ${cell.node} whether ${nameSome(ill)} ${isAre} out of rotation; with affinity dial it from another address as well.`,
      effect: "Nothing changes.",
      actions: [],
      explains: [],
      certainty: "likely",
      decides: `the state of ${nameSome(ill)} in ${cell.node}`,
      severity: "notice",
    },
  ];
}
