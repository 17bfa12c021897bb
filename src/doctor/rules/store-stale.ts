import type { FindingDraft } from "../finding.ts";
import { nameSome } from "../name-some.ts";
import { refsOf } from "../node/central-symptoms.ts";
import { timeText } from "../node/time-text.ts";
import { result, withoutEvidence } from "../node/rule-results.ts";
import type { Rule } from "../rule.ts";
import type { Evident, View } from "../view.ts";

type Stored = Evident<"store">;

/** TLS goes on; changes do not arrive. */
export const storeStale: Rule = {
  code: "store-stale",
  title: "A node does not reach the store and serves from its own copies",
  severity: "warning",
  tier: "node",
  source: "docs/store.md",
  explains:
    "The store does not answer this node. It goes on with its verified copies of configuration, certificates and content, so clients notice nothing until something changes: a renewed certificate, a new site or a revision does not arrive there.",
  remedy:
    "See why the node does not reach the store: the share or its mount, the network, permissions. `certfarm doctor` with the store's self-test says which step fails. Nothing needs to be restarted: the node catches up by itself.",
  check(view) {
    const nodes = view.having("store");
    if (nodes.length === 0) return withoutEvidence(view, "store", ["certfarm"]);
    const stale = nodes.filter(({ part }) => part.staleSince !== undefined);
    const [first, ...rest] = stale;
    if (first === undefined) return { status: "passed" };
    // When no node reaches it, it is the store.
    const groups = stale.length === nodes.length ? [[first, ...rest] as const] : stale.map((node) => [node] as const);
    return result(groups.map((group) => finding(view, nodes, group)));
  },
};

function finding(view: View, all: readonly Stored[], group: readonly [Stored, ...Stored[]]): FindingDraft {
  const [first] = group;
  const names = group.map(({ node }) => node.name);
  const peers = all.filter(({ part }) => part.staleSince === undefined).map(({ node }) => node.name);
  const explains = group.flatMap(({ node }) =>
    refsOf(view.symptomsOf(node.name).filter(({ kind }) => kind !== "no-connection" && kind !== "request-failed")),
  );
  const since = Math.min(...group.map(({ part }) => part.staleSince ?? Infinity));
  return {
    summary: `${nameSome(names)} ${names.length === 1 ? "has" : "have"} not reached the store since ${timeText(since as typeof view.examination.at)}`, // the least of Instants
    nodes: names,
    hosts: [],
    proof: [
      { text: `the store has not answered since ${timeText(first.part.staleSince ?? view.examination.at)}`, source: first.part.source },
      ...(peers.length === 0
        ? []
        : [{ text: `${nameSome(peers)} ${peers.length === 1 ? "reaches" : "reach"} it`, source: `node ${peers[0] ?? ""}` }]),
    ],
    remedy: `See why ${nameSome(names)} ${names.length === 1 ? "does" : "do"} not reach the store: share, mount, network, permissions.`,
    effect: "The nodes catch up by themselves.",
    actions: names.map((node) => ({ do: "manual", node, text: "make the store reachable" })),
    explains,
    certainty: "certain",
    severity: explains.length > 0 ? "error" : "warning",
  };
}
