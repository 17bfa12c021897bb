import type { Cell } from "../examination.ts";
import type { FindingDraft } from "../finding.ts";
import { nameSome } from "../name-some.ts";
import type { Rule, RuleResult } from "../rule.ts";
import type { Evident, View } from "../view.ts";
import { groupBy } from "../group-by.ts";
import { plural, probeOf } from "../wire/groups.ts";
import { sameMake } from "../wire/same-make.ts";
import { servedOf } from "../wire/served.ts";

/** A session of one node is not resumed by another. */
export const ticketKeysDiffer: Rule = {
  code: "ticket-keys-differ",
  title: "Nodes do not resume each other's sessions",
  severity: "notice",
  tier: "wire",
  source: "https://datatracker.ietf.org/doc/html/rfc5077#section-5.5",
  explains:
    "Each node encrypts session tickets with keys of its own, so a client that meets another node makes a full handshake. certfarm nodes share one rotating set, so a difference among them is a fault; " +
    "independent servers share nothing unless told to, and that costs time only.",
  remedy:
    "certfarm: `certfarm repair` makes the node read the keys again. nginx: the same `ssl_session_ticket_key` files on every node, rotated together. HAProxy: `tls-ticket-keys FILE` on `bind`. Windows: `New-TlsSessionTicketKey` and `Enable-TlsSessionTicketKey` on every server.",
  check: (view) => byEvidence(view) ?? byProbes(view),
};

function byEvidence(view: View): RuleResult | undefined {
  const nodes = view.having("ticketKeys");
  if (nodes.length < 2) return undefined;
  const sets = [...groupBy(nodes, ({ part }) => part.fingerprint).values()].toSorted((a, b) => b.length - a.length);
  const [usual = [], ...others] = sets;
  if (others.length === 0) return { status: "passed" };
  return { status: "found", findings: others.flat().map((node) => keysDraft(node, usual)) };
}

function keysDraft({ node, evidence, part }: Evident<"ticketKeys">, usual: readonly Evident<"ticketKeys">[]): FindingDraft {
  const peers = nameSome(usual.map((peer) => peer.node.name));
  return {
    summary: `${node.name} has other ticket keys than ${peers}`,
    nodes: [node.name],
    hosts: [],
    proof: [
      { text: `keys ${part.fingerprint}`, source: part.source },
      { text: `${peers}: keys ${usual[0]?.part.fingerprint ?? ""}`, source: usual[0]?.part.source ?? "" },
    ],
    remedy: `Let ${node.name} read the farm's ticket keys again.`,
    effect: "Clients resume their sessions on every node; connections that are open stay.",
    actions:
      evidence.make === "certfarm"
        ? [{ do: "resync", node: node.name, part: "ticket-keys" }]
        : [{ do: "manual", node: node.name, text: "Give it the ticket keys of the other nodes" }],
    explains: [],
    certainty: "certain",
    severity: "warning",
  };
}

/** Cells that resume their own sessions, and were offered one of another node of the same make. */
function byProbes(view: View): RuleResult {
  const offered = view.nodes
    .flatMap(({ name }) => view.cellsOf(name))
    .filter(
      (cell) =>
        servedOf(cell, "own-session")?.resumed === true && servedOf(cell, "other-session") !== undefined && fromSameMake(view, cell),
    );
  if (offered.length === 0) return { status: "not-applicable", why: "no node was offered the session of another one of the same make" };
  const alone = apart(offered);
  // Where no node resumes a session of another and no balancer joins them, they are servers that have nothing to do with each other.
  if (alone.length === 0 || (alone.length === offered.length && view.balancers.length === 0)) return { status: "passed" };
  return { status: "found", findings: [sessionsDraft(alone)] };
}

/** Cells that refuse a session and whose node shares its keys with no other: two that resume each other's are not to blame for a third. */
function apart(offered: readonly Cell[]): readonly Cell[] {
  const resumes = (cell: Cell): boolean => servedOf(cell, "other-session")?.resumed === true;
  const sharing = new Set(offered.filter(resumes).flatMap(({ node, sessionFrom = "" }) => [node, sessionFrom]));
  return offered.filter((cell) => !resumes(cell) && !sharing.has(cell.node));
}

const fromSameMake = (view: View, cell: Cell): boolean =>
  view.cellsFor(cell.host).some((peer) => peer.node === cell.sessionFrom && peer.node !== cell.node && sameMake(view, cell, peer));

function sessionsDraft(refusing: readonly Cell[]): FindingDraft {
  const nodes = [...new Set(refusing.map(({ node }) => node))];
  const [cell] = refusing;
  const from = cell?.sessionFrom ?? "another node";
  return {
    summary: `${nameSome(nodes)} ${plural(nodes, "does", "do")} not resume sessions of other nodes`,
    nodes,
    hosts: [],
    proof: [{ text: `its own session is resumed, that of ${from} is not`, source: cell === undefined ? "" : probeOf(cell) }],
    remedy: `Give ${nameSome(nodes)} the ticket keys of the other nodes, when clients meet several of them.`,
    effect: "Clients resume their sessions on every node.",
    actions: nodes.map((node) => ({ do: "manual", node, text: "Give it the ticket keys of the other nodes" })),
    explains: [],
    certainty: "certain",
  };
}
