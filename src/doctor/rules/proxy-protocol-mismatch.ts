import type { FindingDraft } from "../finding.ts";
import { nameSome } from "../name-some.ts";
import { redoPart } from "../node/redo-part.ts";
import type { Rule } from "../rule.ts";
import { describeOutcome } from "../symptoms.ts";
import type { View } from "../view.ts";
import { checkFindings, endpointsText, groupsByNode, kindProof, plural, probeOf, refsOf, seenProof, type Group } from "../wire/groups.ts";
import { outcomeOf } from "../wire/served.ts";

/** One side speaks the PROXY protocol and the other does not. */
export const proxyProtocolMismatch: Rule = {
  code: "proxy-protocol-mismatch",
  title: "Balancer and node do not agree on the PROXY protocol",
  severity: "error",
  tier: "wire",
  source: "https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt",
  explains:
    "A balancer can send a line with the client's address before the ClientHello. A node that expects it takes a bare ClientHello for garbage and closes; a node that does not expect it takes the line for garbage. " +
    "Either way every handshake fails, whatever the name.",
  remedy:
    "Turn it on or off on both sides together. certfarm: `proxyProtocol` of node and balancer. nginx: `listen 443 ssl proxy_protocol`. HAProxy: `accept-proxy` on `bind`, `send-proxy-v2` on `server`. IIS cannot read the line: turn it off in the balancer.",
  check: (view) => {
    const balancers = new Set(view.balancers.map(({ name }) => name));
    return checkFindings(
      view,
      groupsByNode(view, "proxy-protocol-mismatch").map((group) =>
        group.nodes.every((node) => balancers.has(node)) ? sent(view, group) : expected(view, group),
      ),
    );
  },
};

function expected(view: View, group: Group): FindingDraft {
  const who = nameSome(group.nodes);
  const through = view.balancers.filter(({ name }) => group.hosts.some((host) => view.healthy(name, host))).map(({ name }) => name);
  // A certfarm node takes the header from those whom it trusts and demands it of nobody: that one does is no setting.
  const demands = view.nodes.some(({ name, evidence }) => group.nodes.includes(name) && evidence?.make === "certfarm");
  const fine = through.length > 0 && !demands;
  return {
    summary: `${who} ${plural(group.nodes, "expects", "expect")} a PROXY protocol header on ${endpointsText(group)}`,
    nodes: group.nodes,
    hosts: [],
    proof: [
      seenProof(group),
      ...kindProof(group, "proxy-header", "with a PROXY header first"),
      ...listenerProof(view, group),
      ...(fine ? [{ text: `through ${nameSome(through)} the same hosts are served`, source: `probe of ${through[0] ?? ""}` }] : []),
    ],
    remedy: fine
      ? `Nothing, when only ${nameSome(through)} connects to ${who}.`
      : `Turn the PROXY protocol off on ${who}, or on in the balancer that connects to it.`,
    effect: fine ? "Nothing changes." : "Both sides agree on the first octets of a connection.",
    actions: fine ? [] : group.nodes.map((node) => redoPart(view, node, "listeners", "Turn the PROXY protocol off, or on in the balancer")),
    explains: refsOf(group.cells),
    certainty: "certain",
    ...(fine ? { severity: "notice" as const } : {}),
  };
}

function sent(view: View, group: Group): FindingDraft {
  const who = nameSome(group.nodes);
  return {
    summary: `Every handshake through ${who} fails and the nodes serve the same hosts directly: ${who} seems to send a PROXY header that they do not expect`,
    nodes: group.nodes,
    hosts: [],
    proof: [
      seenProof(group),
      {
        text: `dialled directly ${nameSome(view.nodes.map(({ name }) => name))} serve ${plural(group.hosts, "it", "them")}`,
        source: "probes of the nodes",
      },
      ...headedProof(view),
    ],
    remedy: `Turn the PROXY protocol off in ${who} for these nodes, or on in the nodes.`,
    effect: "Both sides agree on the first octets of a connection.",
    actions: group.nodes.map((node) => ({ do: "manual", node, text: "Turn the PROXY protocol off for these nodes" })),
    explains: refsOf(group.cells),
    certainty: "likely",
    others: ["balancer-strips-sni", "plain-http-on-tls-port"],
    decides: `the configuration of ${who}: whether it sends the header (\`send-proxy\`, \`proxy_protocol on\`) to these nodes`,
  };
}

/** What a node answers to a header that it does not expect. */
function headedProof(view: View): FindingDraft["proof"][number][] {
  for (const cell of view.nodes.flatMap(({ name }) => view.cellsOf(name))) {
    const outcome = outcomeOf(cell, "proxy-header");
    if (outcome !== undefined)
      return [{ text: `${cell.node} with a PROXY header first: ${describeOutcome(outcome)}`, source: probeOf(cell) }];
  }
  return [];
}

/** What the node itself says of its listener. */
function listenerProof(view: View, { nodes: [node], cells: [{ endpoint }] }: Group): FindingDraft["proof"][number][] {
  const evidence = view.nodes.find(({ name }) => name === node)?.evidence;
  const says =
    evidence?.listeners?.some(({ proxyProtocol, endpoint: own }) => proxyProtocol === true && own.port === endpoint.port) === true;
  return says ? [{ text: `its listener on port ${endpoint.port} expects the header`, source: evidence?.source ?? "" }] : [];
}
