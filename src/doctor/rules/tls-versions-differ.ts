import type { FindingDraft } from "../finding.ts";
import { nameSome } from "../name-some.ts";
import type { Rule } from "../rule.ts";
import type { View } from "../view.ts";
import { can } from "../wire/can.ts";
import { checkFindings, groupsByNode, kindProof, peersProof, plural, refsOf, seenProof, type Group } from "../wire/groups.ts";
import { laggards } from "../wire/laggards.ts";
import { servedOf } from "../wire/served.ts";

/** Nodes do not speak the same versions of TLS. */
export const tlsVersionsDiffer: Rule = {
  code: "tls-versions-differ",
  title: "Nodes do not speak the same TLS versions",
  severity: "error",
  tier: "wire",
  source: "https://learn.microsoft.com/en-us/windows-server/security/tls/tls-registry-settings",
  explains:
    "A client that speaks one version of TLS is served by some nodes and turned away by others, with the alert `protocol_version` or a reset. On Windows the versions are settings of each machine " +
    "(Schannel keys of the registry, group policy), and TLS 1.3 exists since Server 2022 only; elsewhere they are in the server's configuration.",
  remedy:
    "Windows: compare `HKLM\\SYSTEM\\CurrentControlSet\\Control\\SecurityProviders\\SCHANNEL\\Protocols` between the servers and align it by group policy; restart. nginx: `ssl_protocols TLSv1.2 TLSv1.3;`. HAProxy: `ssl-min-ver TLSv1.2`.",
  check: (view) =>
    checkFindings(view, [
      ...groupsByNode(view, "tls-versions-differ").map((group) => failing(view, group)),
      ...lacking(view, "tls12"),
      ...lacking(view, "tls13"),
    ]),
};

const NAMES = { tls12: "TLS 1.2", tls13: "TLS 1.3" } as const;

/** By probes, and by settings where no client was tried. */
function lacking(view: View, kind: "tls12" | "tls13"): readonly FindingDraft[] {
  const seen = laggards(view, { can: can(kind), sameMakeOnly: kind === "tls13" }).map((group) => behind(view, group, kind));
  return seen.length > 0 ? seen : differingSettings(view, kind);
}

function failing(view: View, group: Group): FindingDraft {
  const old = group.cells.some((cell) => servedOf(cell, "tls12") !== undefined);
  return {
    summary: `${nameSome(group.nodes)} ${plural(group.nodes, "turns", "turn")} clients ${old ? "away that offer TLS 1.3" : "of TLS 1.2 and 1.3 away"}`,
    nodes: group.nodes,
    hosts: group.hosts,
    proof: [
      seenProof(group),
      ...kindProof(group, "tls12", "TLS 1.2 alone"),
      ...kindProof(group, "tls13", "TLS 1.3 alone"),
      ...settingsProof(view, group),
      ...peersProof(view, group),
    ],
    remedy: old
      ? `Look for a device before ${nameSome(group.nodes)}, or an old server, that does not bear a ClientHello of TLS 1.3.`
      : `Turn TLS 1.2 and 1.3 on for servers on ${nameSome(group.nodes)}, as on the other nodes.`,
    effect: `Clients of today are served by ${nameSome(group.nodes)}.`,
    actions: group.nodes.map((node) => ({
      do: "manual",
      node,
      text: old ? "Look for what does not bear a ClientHello of TLS 1.3" : "Turn TLS 1.2 and 1.3 on for servers",
    })),
    explains: refsOf(group.cells),
    certainty: "certain",
  };
}

function behind(view: View, group: Group, kind: "tls12" | "tls13"): FindingDraft {
  const name = NAMES[kind];
  return {
    summary: `${nameSome(group.nodes)} ${plural(group.nodes, "does", "do")} not speak ${name}, other nodes do`,
    nodes: group.nodes,
    hosts: group.hosts,
    proof: [...requireProof(kindProof(group, kind, `${name} alone`), group), ...settingsProof(view, group), ...peersProof(view, group)],
    remedy: `Turn ${name} on for servers on ${nameSome(group.nodes)}, where its system has it.`,
    effect: `Clients that speak ${name} alone are served by every node.`,
    actions: group.nodes.map((node) => ({ do: "manual", node, text: `Turn ${name} on for servers` })),
    explains: [],
    certainty: "certain",
    severity: kind === "tls12" ? "warning" : "notice",
  };
}

const requireProof = (proofs: ReturnType<typeof kindProof>, group: Group): FindingDraft["proof"] => {
  const [first, ...rest] = proofs;
  return first === undefined ? [seenProof(group)] : [first, ...rest];
};

function settingsProof(view: View, { nodes }: Group): FindingDraft["proof"][number][] {
  const first = view.having("protocols").find(({ node }) => nodes.includes(node.name));
  const off = (first?.part ?? []).filter(({ enabled }) => !enabled);
  return off.length === 0
    ? []
    : [
        {
          text: `${first?.node.name ?? ""} has ${nameSome(
            off.map(({ protocol }) => protocol),
            4,
          )} off`,
          source: off[0]?.source ?? "",
        },
      ];
}

/** Settings of nodes that say of one version that it is on here and off there. */
function differingSettings(view: View, kind: "tls12" | "tls13"): readonly FindingDraft[] {
  const name = NAMES[kind];
  const settings = view.having("protocols").flatMap(({ node, part }) => {
    const setting = part.find(({ protocol }) => protocol === name);
    return setting === undefined ? [] : [{ node: node.name, ...setting }];
  });
  const off = settings.filter(({ enabled }) => !enabled);
  const on = settings.filter(({ enabled }) => enabled).map(({ node }) => node);
  const [first] = off;
  if (first === undefined || on.length === 0) return [];
  const nodes = off.map(({ node }) => node);
  return [
    {
      summary: `${nameSome(nodes)} ${plural(nodes, "has", "have")} ${name} off, ${nameSome(on)} ${plural(on, "has", "have")} it on`,
      nodes,
      hosts: [],
      proof: [{ text: `${first.node} has ${name} off`, source: first.source }],
      remedy: `Turn ${name} on for servers on ${nameSome(nodes)}, where the system has it.`,
      effect: `Clients that speak ${name} alone are served by every node.`,
      actions: nodes.map((node) => ({ do: "manual", node, text: `Turn ${name} on for servers` })),
      explains: [],
      certainty: "certain",
      severity: kind === "tls12" ? "warning" : "notice",
    },
  ];
}
