import type { Cell } from "../examination.ts";
import type { FindingDraft } from "../finding.ts";
import { nameSome } from "../name-some.ts";
import type { Rule } from "../rule.ts";
import type { View } from "../view.ts";
import { can } from "../wire/can.ts";
import { groupBy } from "../group-by.ts";
import { checkFindings, groupOf, illRefs, kindProof, plural, seenProof, type Group } from "../wire/groups.ts";
import { servedOf } from "../wire/served.ts";

/** Clients that take one type of key are served by some nodes only. */
export const keyTypesDiffer: Rule = {
  code: "key-types-differ",
  title: "Nodes do not have certificates of the same key types",
  severity: "warning",
  tier: "wire",
  source: "https://datatracker.ietf.org/doc/html/rfc8446#section-4.2.3",
  explains:
    "A host has an RSA certificate on some nodes and an ECDSA one on others, or both on some only. Old clients take RSA alone, small devices ECDSA alone: they are served by some nodes and turned away by others.",
  remedy:
    "Give every node the same certificates: certfarm: `HOST.rsa.pfx` beside `HOST.ecdsa.pfx`; nginx: two `ssl_certificate` lines; HAProxy: `HOST.pem.rsa` and `HOST.pem.ecdsa`. IIS has one certificate a name: the same everywhere.",
  check: (view) => checkFindings(view, [...lacking(view, "rsa"), ...lacking(view, "ecdsa")]),
};

const NAMES = { rsa: "RSA", ecdsa: "ECDSA" } as const;

function lacking(view: View, kind: "rsa" | "ecdsa"): readonly FindingDraft[] {
  const answers = can(kind);
  const behind = view.examination.hosts.flatMap(({ name }): readonly Cell[] => {
    const cells = view.cellsFor(name).filter((cell) => servedOf(cell)?.verified === true);
    return cells.some((cell) => answers(cell) === true) ? cells.filter((cell) => answers(cell) === false) : [];
  });
  return [...groupBy(behind, ({ node }) => node).values()]
    .flatMap((cells) => groupOf(view, cells))
    .map((group) => draft(view, group, kind));
}

function draft(view: View, group: Group, kind: "rsa" | "ecdsa"): FindingDraft {
  const who = nameSome(group.nodes);
  const what = nameSome(group.hosts);
  const peers = view.nodes.filter(({ name }) =>
    view.cellsOf(name).some((cell) => group.hosts.includes(cell.host) && can(kind)(cell) === true),
  );
  const [first = seenProof(group), ...rest] = kindProof(group, kind, `a client that takes ${NAMES[kind]} alone`);
  return {
    summary: `${who} ${plural(group.nodes, "has", "have")} no ${NAMES[kind]} certificate for ${what}, other nodes have`,
    nodes: group.nodes,
    hosts: group.hosts,
    proof: [
      first,
      ...rest,
      {
        text: `${nameSome(peers.map(({ name }) => name))} ${plural(peers, "serves", "serve")} such a client`,
        source: `probe of ${peers[0]?.name ?? ""}`,
      },
    ],
    remedy: `Give ${who} the ${NAMES[kind]} certificate of ${what} that the other nodes have.`,
    effect: `Clients that take ${NAMES[kind]} alone are served by every node.`,
    actions: group.nodes.map((node) => ({ do: "manual", node, text: `Add the ${NAMES[kind]} certificate of ${what}` })),
    explains: illRefs(view, group.cells),
    certainty: "certain",
  };
}
