import { toFarmError, type Clock, type Log } from "../../../base/index.ts";
import { createBell } from "../../bell.ts";
import type { Change, Entry } from "../../contract.ts";
import type { FarmMarker } from "./farm-id.ts";
import type { Gate } from "./gate.ts";
import { scanKeys } from "./key-scan.ts";
import type { Notify } from "./notify.ts";
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
  let failingSinceMs: number | undefined;
  let goodMs = source.clock.monotonicMs();
  try {
    while (!signal.aborted) {
      try {
        const changes = await look();
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
      await bell.wait(signal, source.pollMs);
    }
  } finally {
    unsubscribe();
  }
}

/** Looks for changes; cheap while the notify file stands still. */
function createLook(source: KeyWatchSource, parts: readonly string[], signal: AbortSignal): () => Promise<readonly Change[]> {
  let known: ReadonlyMap<string, Known> | undefined;
  let stamp = "";
  let fullAtMs = 0;
  let lookedMs = 0;
  let lookedWallMs = 0;
  return async () => {
    await source.gate.run("looking at the store", async () => {
      await source.marker.require();
      await source.notify.revive();
    });
    const before = await source.gate.run("looking at the store", () => source.notify.stamp(parts[0]));
    const startMs = source.clock.monotonicMs();
    if (known !== undefined && before !== "" && before === stamp && startMs < fullAtMs) return [];
    const slept = Math.max(startMs - lookedMs, Math.abs(source.clock.now() - lookedWallMs)) > FORGET_AFTER_MS;
    const seen = await readChanges(source, parts, { known, fresh: slept, signal });
    [known, stamp, lookedMs, lookedWallMs] = [seen.known, before, startMs, source.clock.now()];
    const endMs = source.clock.monotonicMs();
    fullAtMs = endMs + Math.max(FULL_EVERY_POLLS * source.pollMs, LOOK_SHARE * (endMs - startMs));
    return seen.changes;
  };
}

async function readChanges(
  source: KeyWatchSource,
  parts: readonly string[],
  last: { readonly known: ReadonlyMap<string, Known> | undefined; readonly fresh: boolean; readonly signal: AbortSignal },
): Promise<{ readonly known: ReadonlyMap<string, Known>; readonly changes: readonly Change[] }> {
  const { known, fresh, signal } = last;
  const { keys, hasLinks, gate } = source;
  const wants = (directory: string, number: number): boolean => fresh || known?.get(directory)?.number !== number;
  const found = await scanKeys({ keys, parts, hasLinks, gate, wants, signal });
  await gate.run("looking at the store", () => source.marker.require());
  const now = new Map<string, Known>();
  for (const directory of found.unread) {
    const same = known?.get(directory);
    if (same !== undefined) now.set(directory, same);
  }
  for (const [directory, { number, header }] of found.versions) {
    now.set(directory, { number, key: header.key, rev: header.rev, removed: header.removed });
  }
  return { known: now, changes: known === undefined ? [resetOf(found.versions)] : changesBetween(known, now, found.versions) };
}

const entryOf = ({ header, value }: Version): Entry => ({ key: header.key, value, rev: header.rev });

function resetOf(versions: ReadonlyMap<string, Version>): Change {
  const entries = [...versions.values()].filter(({ header }) => !header.removed).map(entryOf);
  return { type: "reset", entries, cursor: CURSOR };
}

function changesBetween(
  known: ReadonlyMap<string, Known>,
  now: ReadonlyMap<string, Known>,
  versions: ReadonlyMap<string, Version>,
): readonly Change[] {
  const changes: Change[] = [];
  for (const [directory, version] of versions) {
    const before = known.get(directory);
    if (before?.rev === version.header.rev) continue;
    if (!version.header.removed) changes.push({ type: "put", entry: entryOf(version), cursor: CURSOR });
    else if (before !== undefined && !before.removed) changes.push({ type: "del", key: before.key, cursor: CURSOR });
  }
  for (const [directory, before] of known) {
    if (!now.has(directory) && !before.removed) changes.push({ type: "del", key: before.key, cursor: CURSOR });
  }
  return changes;
}
