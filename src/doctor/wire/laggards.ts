import type { Cell } from "../examination.ts";
import type { View } from "../view.ts";
import { groupBy } from "../group-by.ts";
import { groupOf, type Group } from "./groups.ts";
import { sameMake } from "./same-make.ts";
import { servedOf } from "./served.ts";

/** What is compared between nodes. */
export interface Comparison {
  /** Whether the node can do it for this host; undefined = it was not asked. */
  readonly can: (cell: Cell) => boolean | undefined;
  /** Only nodes that run the same server are compared. */
  readonly sameMakeOnly: boolean;
}

/** Healthy cells of nodes that cannot do what a peer can for the same host, a group for each node. */
export function laggards(view: View, { can, sameMakeOnly }: Comparison): readonly Group[] {
  const behind = view.examination.hosts.flatMap(({ name }) => {
    const cells = view.cellsFor(name).filter((cell) => servedOf(cell) !== undefined && view.healthy(cell.node, name));
    const able = cells.filter((cell) => can(cell) === true);
    const unable = cells.filter((cell) => can(cell) === false);
    return unable.filter((cell) => able.some((peer) => peer.node !== cell.node && (!sameMakeOnly || sameMake(view, cell, peer))));
  });
  return [...groupBy(behind, ({ node }) => node).values()].flatMap((cells) => groupOf(view, cells));
}
