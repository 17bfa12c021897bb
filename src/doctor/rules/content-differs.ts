import type { FindingDraft } from "../finding.ts";
import { nameSome } from "../name-some.ts";
import { result, withoutEvidence } from "../node/rule-results.ts";
import { usualOf } from "../node/usual-of.ts";
import type { Rule } from "../rule.ts";
import { shorten } from "../shorten.ts";
import type { Evident, View } from "../view.ts";
import { groupBy } from "../group-by.ts";

interface Copy {
  readonly node: Evident<"content">;
  readonly folder: string;
  readonly digest: string;
  readonly problem?: string;
}

/** One node shows another page. */
export const contentDiffers: Rule = {
  code: "content-differs",
  title: "A node serves other content than its peers",
  severity: "warning",
  tier: "node",
  source: "docs/content.md",
  explains:
    "Each node keeps a verified copy of the sites' content. The digest of a folder differs on this node: it has not caught up, cannot read a file, or its disk is full. Clients see other pages depending on the node that answers.",
  remedy:
    "Wait for one poll of the content and look again; if it stays, see the problem that the node tells, and its disk. `certfarm status` shows the digests.",
  check(view) {
    const nodes = view.having("content");
    if (nodes.length === 0) return withoutEvidence(view, "content", ["certfarm"]);
    const copies = nodes.flatMap((node) => node.part.map((copy) => ({ node, ...copy })));
    return result([...groupBy(copies, ({ folder }) => folder).values()].flatMap((group) => folderFindings(view, group)));
  },
};

function folderFindings(view: View, copies: readonly Copy[]): readonly FindingDraft[] {
  const usual = usualOf(
    copies,
    ({ digest }) => digest,
    ({ problem }) => (problem === undefined ? 1 : 0),
  );
  return copies.filter((copy) => copy.problem !== undefined || !usual.includes(copy)).map((copy) => finding(view, copy, usual));
}

function finding(view: View, { node, folder, digest, problem }: Copy, usual: readonly Copy[]): FindingDraft {
  const { name } = node.node;
  const peers = usual.filter((copy) => copy.node !== node).map((copy) => copy.node.node.name);
  return {
    summary: `${name} has other content of ${folder}${peers.length === 0 ? " than the store" : ` than ${nameSome(peers)}`}`,
    nodes: [name],
    hosts: [],
    about: folder,
    proof: [
      { text: problem === undefined ? `its digest is ${digest.slice(0, 12)}` : shorten(problem), source: `node ${name}` },
      ...(peers.length === 0
        ? []
        : [{ text: `${nameSome(peers)}: ${usual[0]?.digest.slice(0, 12) ?? ""}`, source: `node ${peers[0] ?? ""}` }]),
    ],
    remedy:
      problem === undefined ? `Wait for the next poll of ${name}, then look again.` : `Remove what ${name} tells: ${shorten(problem)}`,
    effect: `${name} serves the pages that its peers serve.`,
    actions: [],
    explains: view
      .symptomsOf(name)
      .flatMap(({ kind, host, endpoint }) => (kind === "request-failed" && problem !== undefined ? [{ node: name, host, endpoint }] : [])),
    certainty: "certain",
  };
}
