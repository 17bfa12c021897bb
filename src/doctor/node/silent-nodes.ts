import type { Gap } from "../evidence.ts";
import type { ExaminedNode } from "../examination.ts";
import type { View } from "../view.ts";

/** A node that was asked about itself and did not answer, with why. */
export interface SilentNode {
  readonly node: ExaminedNode;
  readonly gap: Gap;
}

const known = new WeakMap<View, ReadonlyMap<string, SilentNode>>();

/** Nodes of a certfarm farm that tell nothing of themselves, by name. */
export function silentNodes(view: View): ReadonlyMap<string, SilentNode> {
  const found = known.get(view) ?? look(view);
  known.set(view, found);
  return found;
}

function look({ nodes, examination }: View): ReadonlyMap<string, SilentNode> {
  const gaps = new Map(
    examination.gaps.flatMap((gap) => (gap.node !== undefined && gap.what === "system" ? [[gap.node, gap] as const] : [])),
  );
  return new Map(
    nodes.flatMap((node) => {
      const gap = gaps.get(node.name);
      return gap === undefined || node.evidence !== undefined ? [] : [[node.name, { node, gap }] as const];
    }),
  );
}
