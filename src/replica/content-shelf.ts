import type { Clock } from "../base/index.ts";
import type { ContentTree } from "./content-disk.ts";
import type { KeptTree } from "./content-sweep.ts";

/** The trees that are served, and those that were until a moment ago. */
export interface ContentShelf {
  get(folder: string): ContentTree | undefined;
  folders(): readonly string[];
  /** Puts a tree in place of the former one, or takes it away, and tells the listeners. */
  replace(folder: string, tree: ContentTree | undefined): void;
  onChange(listener: (folder: string) => void): () => void;
  /** Trees that must stay on disk: current ones and those within their grace. Others are forgotten. */
  kept(): readonly KeptTree[];
  /** Whether some tree is within its grace. */
  readonly hasRetired: boolean;
}

/** @param graceMs How long a tree stays after it was replaced: requests may be reading from it. */
export function createContentShelf(clock: Clock, graceMs: number): ContentShelf {
  const trees = new Map<string, ContentTree>();
  const listeners = new Set<(folder: string) => void>();
  let retired: readonly (KeptTree & { readonly untilMs: number })[] = [];
  return {
    get: (folder) => trees.get(folder),
    folders: () => [...trees.keys()],
    replace(folder, tree) {
      const former = trees.get(folder);
      if (former !== undefined) retired = [...retired, { folder, tree: former, untilMs: clock.monotonicMs() + graceMs }];
      if (tree === undefined) trees.delete(folder);
      else trees.set(folder, tree);
      for (const listener of listeners) listener(folder);
    },
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    kept() {
      retired = retired.filter(({ untilMs }) => untilMs > clock.monotonicMs());
      return [...[...trees].map(([folder, tree]) => ({ folder, tree })), ...retired];
    },
    get hasRetired() {
      return retired.length > 0;
    },
  };
}
