import { toFarmError, type Clock, type Log } from "../../../base/index.ts";
import { createBell } from "../../bell.ts";
import type { Change, Entry } from "../../contract.ts";
import type { FarmMarker } from "./farm-id.ts";
import type { Gate } from "./gate.ts";
import { scanDirectories, scanKeys } from "./key-scan.ts";
import type { Notify, NotifyPosition } from "./notify.ts";
import type { Version } from "./versions.ts";

/** What a watch needs of its store. */
export interface KeyWatchSource {
  readonly keys: string;
  readonly hasLinks: boolean;
  readonly gate: Gate;
  readonly marker: FarmMarker;
  readonly notify: Notify;
  readonly clock: Clock;
  readonly log: Log;
  readonly pollMs: number;
}

/** What the last scan saw of a key; no values, so that memory follows the number of keys. */
interface Known {
  readonly number: number;
  readonly key: string;
  readonly rev: string;
  readonly removed: boolean;
}

/** A directory driver keeps no history: every watch begins with a reset, and no cursor is valid again. */
const CURSOR = "none";
/** A watch looks at all keys this often whatever the notify file says; longer when looking takes long. */
const FULL_EVERY_POLLS = 10;
const LOOK_SHARE = 20;
/** After a sleep this long, version numbers may have begun anew: everything is read again. */
const FORGET_AFTER_MS = 3_600_000;

/** Every key's last state below a prefix, by polling, quicker where the kernel tells of changes. */
export async function* watchKeys(source: KeyWatchSource, parts: readonly string[], signal: AbortSignal): AsyncGenerator<Change> {
  const bell = createBell();
  const unsubscribe = source.notify.subscribe(parts[0], bell);
  const look = createLook(source, parts, signal);
  let rang = false;
  let failingSinceMs: number | undefined;
  let goodMs = source.clock.monotonicMs();
  try {
    while (!signal.aborted) {
      try {
        const changes = await look(rang);
        if (failingSinceMs !== undefined) yield { type: "live" };
        failingSinceMs = undefined;
        goodMs = source.clock.monotonicMs();
        yield* changes;
      } catch (error) {
        if (signal.aborted) return;
        const { code, message } = toFarmError(error);
        if (failingSinceMs === undefined)
          source.log.warn("the store does not answer a watch", { prefix: parts.join("/"), code, problem: message });
        if (failingSinceMs === undefined) yield { type: "stale", sinceMs: source.clock.monotonicMs() - goodMs };
        failingSinceMs ??= goodMs;
      }
      rang = await bell.wait(signal, source.pollMs);
    }
  } finally {
    unsubscribe();
  }
}

/**
 * Looks for changes; cheap while the notify file stands still. When the kernel told of a change (`rang`), only the keys that the file
 * names are looked at; what a poll finds came from elsewhere, where words can get lost, so everything is.
 */
function createLook(source: KeyWatchSource, parts: readonly string[], signal: AbortSignal): (rang: boolean) => Promise<readonly Change[]> {
  const { keys, hasLinks, gate, marker, notify, clock, pollMs } = source;
  let known: Map<string, Known> | undefined;
  let position: NotifyPosition | undefined;
  let fullAtMs = 0;
  let lookedMs = 0;
  let lookedWallMs = 0;

  async function lookAtAll(startMs: number): Promise<readonly Change[]> {
    const slept = Math.max(startMs - lookedMs, Math.abs(clock.now() - lookedWallMs)) > FORGET_AFTER_MS;
    const wants = (directory: string, number: number): boolean => slept || known?.get(directory)?.number !== number;
    const found = await scanKeys({ keys, parts, hasLinks, gate, wants, signal });
    await gate.run("looking at the store", () => marker.require());
    const now = new Map<string, Known>();
    for (const directory of found.unread) {
      const same = known?.get(directory);
      if (same !== undefined) now.set(directory, same);
    }
    for (const [directory, version] of found.versions) now.set(directory, knownOf(version));
    const changes = known === undefined ? [resetOf(found.versions)] : [...changesOf(known, found.versions), ...lossesOf(known, now)];
    known = now;
    [lookedMs, lookedWallMs] = [startMs, clock.now()];
    const endMs = clock.monotonicMs();
    fullAtMs = endMs + Math.max(FULL_EVERY_POLLS * pollMs, LOOK_SHARE * (endMs - startMs));
    return changes;
  }

  async function lookAt(directories: readonly string[], before: Map<string, Known>): Promise<readonly Change[]> {
    const wants = (directory: string, number: number): boolean => before.get(directory)?.number !== number;
    const { versions } = await scanDirectories({ keys, parts, hasLinks, gate, wants, signal }, directories);
    const changes = changesOf(before, versions);
    for (const [directory, version] of versions) before.set(directory, knownOf(version));
    return changes;
  }

  return async (rang) => {
    const news = await gate.run("looking at the store", async () => {
      await marker.requireRecent();
      await notify.revive();
      return notify.read(parts[0], position);
    });
    const startMs = clock.monotonicMs();
    const isSame = news.position.id !== "" && news.position.id === position?.id && news.position.offset === position.offset;
    const current = startMs < fullAtMs ? known : undefined;
    if (isSame && current !== undefined) return [];
    const named = rang ? news.directories : undefined;
    const changes = current !== undefined && named !== undefined ? await lookAt(named, current) : await lookAtAll(startMs);
    position = news.position;
    return changes;
  };
}

const knownOf = ({ number, header }: Version): Known => ({ number, key: header.key, rev: header.rev, removed: header.removed });

const entryOf = ({ header, value }: Version): Entry => ({ key: header.key, value, rev: header.rev });

function resetOf(versions: ReadonlyMap<string, Version>): Change {
  const entries = [...versions.values()].filter(({ header }) => !header.removed).map(entryOf);
  return { type: "reset", entries, cursor: CURSOR };
}

function changesOf(known: ReadonlyMap<string, Known>, versions: ReadonlyMap<string, Version>): readonly Change[] {
  const changes: Change[] = [];
  for (const [directory, version] of versions) {
    const before = known.get(directory);
    if (before?.rev === version.header.rev) continue;
    if (!version.header.removed) changes.push({ type: "put", entry: entryOf(version), cursor: CURSOR });
    else if (before !== undefined && !before.removed) changes.push({ type: "del", key: before.key, cursor: CURSOR });
  }
  return changes;
}

/** Keys whose directories are gone: removed and swept away. */
function lossesOf(known: ReadonlyMap<string, Known>, now: ReadonlyMap<string, Known>): readonly Change[] {
  const changes: Change[] = [];
  for (const [directory, before] of known) {
    if (!now.has(directory) && !before.removed) changes.push({ type: "del", key: before.key, cursor: CURSOR });
  }
  return changes;
}
