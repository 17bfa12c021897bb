import type { Cell } from "../examination.ts";
import type { CellRef } from "../finding.ts";
import type { View } from "../view.ts";
import { groupBy } from "../group-by.ts";
import { groupOf, illRefs, type Group } from "../wire/groups.ts";
import { covers, servedOf, type Served } from "../wire/served.ts";

/** A cell of a node in which a certificate was presented to a client that sent the name. */
export interface ServedCell {
  readonly cell: Cell;
  readonly served: Served;
}

const known = new WeakMap<View["examination"], readonly ServedCell[]>();

/** The cells of nodes in which a certificate for the host was presented, whatever else is wrong with it. */
export function servedCells(view: View): readonly ServedCell[] {
  const before = known.get(view.examination);
  if (before !== undefined) return before;
  const found = view.nodes
    .flatMap(({ name }) => view.cellsOf(name))
    .flatMap((cell): readonly ServedCell[] => {
      const served = servedOf(cell);
      return served === undefined || !covers(served, cell.host) ? [] : [{ cell, served }];
    });
  known.set(view.examination, found);
  return found;
}

/** Cells that one finding speaks of, with what the first of them presents. */
export interface ServedGroup extends Group {
  readonly first: ServedCell;
}

/** Hosts for which the same nodes are concerned are one group; so are those of one `kindOf`. */
export function groupAlike(view: View, found: readonly ServedCell[], kindOf: (found: ServedCell) => string): readonly ServedGroup[] {
  const perHost = [...groupBy(found, (each) => `${each.cell.host} ${kindOf(each)}`).values()];
  const groups = groupBy(perHost, (ofHost) => {
    const [first] = ofHost;
    return `${first === undefined ? "" : kindOf(first)}/${[...new Set(ofHost.map(({ cell }) => cell.node))].join(" ")}`;
  });
  return [...groups.values()].flatMap((group): readonly ServedGroup[] => {
    const all = group.flat();
    const [first] = all;
    const cells = all.map(({ cell }) => cell);
    return first === undefined ? [] : groupOf(view, cells).map((found) => ({ ...found, first }));
  });
}

/** The ill cells of a group, and those of other nodes that only differ from them. */
export function illAndDiffering(view: View, group: Group): readonly CellRef[] {
  const hosts = new Set(group.hosts);
  const nodes = new Set(group.nodes);
  const ahead = view.symptoms.filter(({ node, host, kind }) => kind === "differs" && hosts.has(host) && !nodes.has(node));
  return [...illRefs(view, group.cells), ...ahead.map(({ node, host, endpoint }) => ({ node, host, endpoint }))];
}
