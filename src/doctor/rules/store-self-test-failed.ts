import type { FindingDraft } from "../finding.ts";
import { nameSome } from "../name-some.ts";
import { result, withoutEvidence } from "../node/rule-results.ts";
import type { Rule } from "../rule.ts";
import { shorten } from "../shorten.ts";
import type { Evident } from "../view.ts";

type Stored = Evident<"store">;

/** Reading works, writing does not; or what comes back is not what was written. */
export const storeSelfTestFailed: Rule = {
  code: "store-self-test-failed",
  title: "The store does not do what it must from a node",
  severity: "error",
  tier: "node",
  source: "docs/store.md",
  explains:
    "Asked by the doctor, each node writes a key to the store, reads it back, compares it and deletes it. A step that fails shows a full disk, a share that is mounted for reading only, missing permissions, or a file system that does not keep what it is given.",
  remedy:
    "See that the step which fails is allowed to the account of the node: space, permissions, how the share is mounted. Then run the doctor again.",
  check(view) {
    const nodes = view.having("store").filter(({ part }) => part.selfTest !== undefined);
    if (nodes.length === 0) return withoutEvidence(view, "store", ["certfarm"]);
    return result(groupsOf(nodes).map(([step, group]) => finding(step, group)));
  },
};

/** Nodes for which the same step fails; those that do not reach the store at all are told elsewhere. */
function groupsOf(nodes: readonly Stored[]): readonly (readonly [string, readonly Stored[]])[] {
  const groups = new Map<string, Stored[]>();
  for (const node of nodes) {
    const { selfTest, staleSince } = node.part;
    if (selfTest?.kind !== "failed" || staleSince !== undefined) continue;
    const there = groups.get(selfTest.step);
    if (there === undefined) groups.set(selfTest.step, [node]);
    else there.push(node);
  }
  return [...groups];
}

function finding(step: string, group: readonly Stored[]): FindingDraft {
  const names = group.map(({ node }) => node.name);
  const [first] = group;
  const message = first?.part.selfTest?.kind === "failed" ? first.part.selfTest.message : "";
  return {
    summary: `${nameSome(names)}: the self-test of the store fails at: ${shorten(step)}`,
    nodes: names,
    hosts: [],
    about: step,
    proof: [{ text: shorten(message), source: first?.part.source ?? "" }],
    remedy: `Let the account of ${nameSome(names)} ${shorten(step)} in the store: space, permissions, how the share is mounted.`,
    effect: "Reports, requests and revisions go through the store again.",
    actions: names.map((node) => ({ do: "manual", node, text: `make the store allow: ${shorten(step)}` })),
    explains: [],
    certainty: "certain",
  };
}
