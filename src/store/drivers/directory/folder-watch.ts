import { createHash } from "node:crypto";
import { watch, type FSWatcher } from "node:fs";
import { stat } from "node:fs/promises";
import { join } from "node:path";

import { systemCode, type Clock, type Log } from "../../../base/index.ts";
import { createBell, type Bell } from "../../bell.ts";
import { TEMP_PREFIX } from "./disk.ts";
import type { FarmMarker } from "./farm-id.ts";
import { listEntries, walkFiles } from "./folder-list.ts";
import type { Gate } from "./gate.ts";

/** What a folder's watch needs. */
export interface FolderWatchSource {
  readonly path: string;
  readonly isDeep: boolean;
  readonly gate: Gate;
  readonly marker: FarmMarker;
  readonly clock: Clock;
  readonly log: Log;
  readonly pollMs: number;
}

type Hint = { readonly paths?: readonly string[] };

/** Names told with one hint at most; beyond that everything is to be looked at. */
const MAX_PATHS = 1000;
/** Directories below the top that are watched by events, each with a handle of the kernel. */
const MAX_WATCHED = 256;
/** After hints that named what changed, everything is looked at once more: another machine may have changed something in the same moment. */
const FULL_LOOK_MS = 5_000;
const DEEP_EVERY_POLLS = 5;
/** Polling a deep folder takes at most a twentieth of the time. */
const DEEP_SHARE = 20;

/** "Look again": from the kernel's events, and from polling what a listing of the folder depends on. Survives the folder's absence. */
export async function* watchFolder(source: FolderWatchSource, signal: AbortSignal): AsyncGenerator<Hint> {
  const bell = createBell();
  const events = createEvents(source, bell);
  const look = createLook(source, events);
  try {
    await look();
    yield {};
    let owedAtMs = Number.POSITIVE_INFINITY;
    while (!signal.aborted) {
      await bell.wait(signal, source.pollMs);
      if (signal.aborted) return;
      const paths = events.take();
      const changed = await look();
      const named = paths !== undefined && paths.length <= MAX_PATHS ? paths : undefined;
      const nowMs = source.clock.monotonicMs();
      if (nowMs >= owedAtMs || (named === undefined && (changed || paths !== undefined))) {
        owedAtMs = Number.POSITIVE_INFINITY;
        yield {};
      } else if (named !== undefined) {
        owedAtMs = Math.min(owedAtMs, nowMs + FULL_LOOK_MS);
        yield { paths: named };
      }
    }
  } finally {
    events.close();
  }
}

interface Events {
  /** Names since the last call; undefined = nothing happened. */
  take(): readonly string[] | undefined;
  /** Watches these directories, relative to the folder; `identity` changes when they must be watched anew. */
  follow(directories: readonly string[], identity: string): void;
  close(): void;
}

function createEvents(source: FolderWatchSource, bell: Bell): Events {
  const watchers = new Map<string, FSWatcher>();
  const names = new Set<string>();
  let identity = "";
  let warned = false;

  function onEvent(directory: string, name: string | null): void {
    if (name?.startsWith(TEMP_PREFIX) === true) return;
    if (names.size <= MAX_PATHS) names.add(directory === "" ? (name ?? "") : `${directory}/${name ?? ""}`);
    bell.ring();
  }
  function drop(directory: string): void {
    watchers.get(directory)?.close();
    watchers.delete(directory);
  }
  function start(directory: string): void {
    try {
      const watcher = watch(join(source.path, directory), { persistent: false }, (_event, name) => onEvent(directory, name));
      watcher.on("error", () => drop(directory));
      watchers.set(directory, watcher);
    } catch (error) {
      if (!warned) source.log.warn("a folder is polled only: no file events", { directory: source.path, errno: systemCode(error) });
      warned = true;
    }
  }

  return {
    take() {
      if (names.size === 0) return undefined;
      const taken = [...names];
      names.clear();
      return taken;
    },
    follow(directories, now) {
      const wanted = new Set(directories.slice(0, MAX_WATCHED));
      for (const directory of watchers.keys()) if (now !== identity || !wanted.has(directory)) drop(directory);
      for (const directory of wanted) if (!watchers.has(directory)) start(directory);
      identity = now;
    },
    close() {
      for (const directory of watchers.keys()) drop(directory);
    },
  };
}

/** Says whether the folder looks different from the last time; never throws. */
function createLook(source: FolderWatchSource, events: Events): () => Promise<boolean> {
  const { path, gate, marker, clock, pollMs } = source;
  let last: string | undefined;
  let deep = "";
  let deepAtMs = 0;

  async function stamp(): Promise<string> {
    const top = await gate.run(`looking at ${path}`, async () => {
      await marker.requireRecent();
      return stat(path, { bigint: true });
    });
    const identity = `${top.dev}:${top.ino}`;
    if (!source.isDeep) events.follow([""], identity);
    if (source.isDeep && clock.monotonicMs() >= deepAtMs) {
      const startMs = clock.monotonicMs();
      const entries = await gate.run(`listing ${path}`, () => listEntries(path));
      events.follow(["", ...entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name)], identity);
      deep = await digestOf(source);
      const endMs = clock.monotonicMs();
      deepAtMs = endMs + Math.max(DEEP_EVERY_POLLS * pollMs, DEEP_SHARE * (endMs - startMs));
    }
    return `${identity}:${top.mtimeNs}:${deep}`;
  }

  return async () => {
    const before = last;
    try {
      last = await stamp();
    } catch {
      // Away, or not there yet: whoever looks again learns why.
      last = "away";
      deepAtMs = 0;
      events.follow([], "");
    }
    return before !== undefined && before !== last;
  };
}

async function digestOf(source: FolderWatchSource): Promise<string> {
  const hash = createHash("sha256");
  for await (const file of walkFiles(source.path, source.gate, source.clock.now())) hash.update(`${file.path}\0${file.stamp}\0`);
  return hash.digest("base64");
}
