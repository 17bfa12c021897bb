import type { Cell } from "../examination.ts";
import type { FindingDraft } from "../finding.ts";
import { nameSome } from "../name-some.ts";
import type { Rule } from "../rule.ts";
import type { View } from "../view.ts";
import { can } from "../wire/can.ts";
import { checkFindings, groupsByNode, kindProof, peersProof, plural, probeOf, refsOf, seenProof, type Group } from "../wire/groups.ts";
import { laggards } from "../wire/laggards.ts";
import { servedOf } from "../wire/served.ts";

/** Nodes do not offer the same application protocols. */
export const alpnDiffers: Rule = {
  code: "alpn-differs",
  title: "Nodes do not offer the same application protocols",
  severity: "error",
  tier: "wire",
  source: "https://datatracker.ietf.org/doc/html/rfc7301#section-3.2",
  explains:
    "A client that offers HTTP/2 and HTTP/1.1 gets HTTP/2 on some nodes only, or a node ends the handshake with `no_application_protocol`. Browsers get along with a node without HTTP/2, slower; " +
    "clients that speak one of them alone (gRPC, old tools) fail there. On IIS bits of `sslFlags` and the registry turn HTTP/2 off.",
  remedy:
    "IIS: `sslFlags` 4 on a binding turns HTTP/2 off, as does `EnableHttp2Tls` = 0 under `HKLM\\SYSTEM\\CurrentControlSet\\Services\\HTTP\\Parameters`. nginx: `http2 on;`. HAProxy: `bind … alpn h2,http/1.1`.",
  check: (view) =>
    checkFindings(view, [
      ...groupsByNode(view, "alpn-differs").map((group) => refused(view, group)),
      ...laggards(view, { can: can("http11"), sameMakeOnly: false }).map((group) => without(view, group, "HTTP/1.1")),
      ...laggards(view, { can: hasH2, sameMakeOnly: true }).map((group) => without(view, group, "HTTP/2")),
    ]),
};

const hasH2 = (cell: Cell): boolean => servedOf(cell)?.alpn === "h2";

function refused(view: View, group: Group): FindingDraft {
  const who = nameSome(group.nodes);
  return {
    summary: `${who} ${plural(group.nodes, "turns", "turn")} clients away that offer both HTTP/2 and HTTP/1.1`,
    nodes: group.nodes,
    hosts: group.hosts,
    proof: [
      seenProof(group),
      ...kindProof(group, "http11", "HTTP/1.1 alone"),
      ...kindProof(group, "h2", "HTTP/2 alone"),
      ...peersProof(view, group),
    ],
    remedy: `Let ${who} choose HTTP/2 or HTTP/1.1, as the other nodes do.`,
    effect: "Browsers get through.",
    actions: group.nodes.map((node) => ({ do: "manual", node, text: "Offer HTTP/2 and HTTP/1.1" })),
    explains: refsOf(group.cells),
    certainty: "certain",
  };
}

function without(view: View, group: Group, protocol: "HTTP/1.1" | "HTTP/2"): FindingDraft {
  const who = nameSome(group.nodes);
  const alpn = servedOf(group.cells[0])?.alpn ?? "none";
  return {
    summary: `${who} ${plural(group.nodes, "does", "do")} not offer ${protocol}, other nodes do`,
    nodes: group.nodes,
    hosts: group.hosts,
    proof: [
      { text: `of h2 and http/1.1 it chooses ${alpn}`, source: probeOf(group.cells[0]) },
      ...kindProof(group, "http11", "HTTP/1.1 alone"),
      ...peersProof(view, group),
    ],
    remedy: `Let ${who} offer ${protocol}, as the other nodes do.`,
    effect: `Clients that speak ${protocol} alone are served by every node.`,
    actions: group.nodes.map((node) => ({ do: "manual", node, text: `Turn ${protocol} on` })),
    explains: [],
    certainty: "certain",
    severity: "warning",
  };
}
