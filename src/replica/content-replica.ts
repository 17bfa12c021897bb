import { systemClock, toFarmError, type Clock, type Instant, type Log } from "../base/index.ts";
import type { Signing } from "../identity/index.ts";
import type { FarmStore } from "../store/index.ts";
import { contentDisk, currentFolders, loadTree, type ContentDisk, type ContentTree } from "./content-disk.ts";
import { POINTER_PREFIX } from "./content-pointer.ts";
import { createContentShelf, type ContentShelf } from "./content-shelf.ts";
import { ContentSync } from "./content-sync.ts";
import { follow, restMs } from "./follow.ts";
import { createStaleness } from "./staleness.ts";
import type { NodeReport } from "./types.ts";

/** What a node says of one content folder; the digest is empty while it has no tree of it. */
export type ContentReport = NodeReport["content"][number];

/** The content of the farm on this node's own disk. Nothing here throws for the store or the disk: problems are in `reports`. */
export interface ContentReplica {
  /** Wants exactly these folders and brings each to its newest manifest, as far as possible now. Calls queue up. */
  sync(folders: readonly string[], signal: AbortSignal): Promise<void>;
  /** The tree to serve from; undefined = this node has none yet. */
  tree(folder: string): ContentTree | undefined;
  reports(): readonly ContentReport[];
  /** Called after a folder's tree was switched or dropped. Returns how to stop that. */
  onChange(listener: (folder: string) => void): () => void;
  /** Keeps the wanted folders in step with the store until the signal aborts. */
  watch(signal: AbortSignal): Promise<void>;
  /** Since when the store cannot be read; undefined = it can. */
  staleSince(): Instant | undefined;
  /** Waits for the work in hand: abort its signal first. */
  close(): Promise<void>;
}

/** What a replica needs. */
export interface ContentReplicaSettings {
  readonly store: FarmStore;
  /** The node's own directory; one process at a time may use it. */
  readonly dataDir: string;
  readonly log: Log;
  readonly clock?: Clock;
  /** Absent = a farm without identities. With it only what an admin published is taken. */
  readonly signing?: Signing | undefined;
  /** How long a tree stays on disk after it was replaced, for requests that read from it. @default 60000 */
  readonly graceMs?: number;
}

const RESYNC_MS = 10_000;

/** Loads the trees that the disk has (no store needed), then answers. */
export async function createContentReplica(settings: ContentReplicaSettings): Promise<ContentReplica> {
  const { store, dataDir, log, signing, clock = systemClock, graceMs = 60_000 } = settings;
  const disk = contentDisk(dataDir);
  const shelf = createContentShelf(clock, graceMs);
  const problems = await loadShelf(disk, shelf);
  const staleness = createStaleness("content", { clock, log });
  const task = new ContentSync({ store, disk, log, signing, shelf, problems });
  let wanted: readonly string[] | undefined;
  let queue: Promise<unknown> = Promise.resolve();

  /** One at a time: they share the disk. */
  function run(signal: AbortSignal): Promise<void> {
    const done = queue.then(() => (wanted === undefined || signal.aborted ? undefined : task.run(wanted, signal)));
    queue = done.catch(() => undefined); // the caller below is told
    return done;
  }

  return {
    async sync(folders, signal) {
      wanted = [...new Set(folders)];
      try {
        await run(signal);
        staleness.answered();
      } catch (error) {
        if (!signal.aborted) staleness.failed(error);
      }
    },
    tree: (folder) => shelf.get(folder),
    reports: () => (wanted ?? shelf.folders()).map((folder) => reportOf(folder, shelf, problems)),
    onChange: (listener) => shelf.onChange(listener),
    async watch(signal) {
      const hints = [(stop: AbortSignal) => store.state.watch(POINTER_PREFIX, { signal: stop })];
      for await (const _look of follow({ look: () => run(signal), hints, everyMs: restMs(store.state, RESYNC_MS), signal, staleness }))
        continue;
    },
    staleSince: () => staleness.since(),
    async close() {
      await queue;
    },
  };
}

function reportOf(folder: string, shelf: ContentShelf, problems: ReadonlyMap<string, string>): ContentReport {
  const tree = shelf.get(folder);
  const problem = problems.get(folder);
  return { folder, digest: tree?.digest ?? "", files: tree?.files.size ?? 0, ...(problem === undefined ? {} : { problem }) };
}

/** Puts what the disk has on the shelf; returns what is wrong with the rest. */
async function loadShelf(disk: ContentDisk, shelf: ContentShelf): Promise<Map<string, string>> {
  const problems = new Map<string, string>();
  for (const folder of await currentFolders(disk)) {
    try {
      shelf.replace(folder, await loadTree(disk, folder));
    } catch (error) {
      problems.set(folder, `the copy on this node's disk is damaged and is fetched again: ${toFarmError(error).message}`);
    }
  }
  return problems;
}
