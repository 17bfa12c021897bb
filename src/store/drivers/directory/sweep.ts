import { readdir, rmdir, stat, unlink } from "node:fs/promises";
import { dirname, join } from "node:path";

import { systemCode, toFarmError, type Log } from "../../../base/index.ts";
import type { Gate } from "./gate.ts";
import { scanKeys } from "./key-scan.ts";
import { TEMP_PREFIX, tempName, writeNewFile } from "./disk.ts";
import { versionName } from "./key-path.ts";
import { versionNumbers } from "./versions.ts";

/** When things left behind are taken away. */
export interface SweepAges {
  /** Temporary files of writers that died. */
  readonly tempMs: number;
  /** Tombstones. Much longer than `tempMs`: a writer that slept since it saw a tombstone finds its temporary file gone and starts again. */
  readonly tombstoneMs: number;
}

/** An hour, a day. */
const SWEEP_AGES: SweepAges = { tempMs: 3_600_000, tombstoneMs: 86_400_000 };

/** Temporary files looked at in one sweep at most. */
const MAX_TEMP = 10_000;

/**
 * Removes temporary files of dead writers and the directories of keys that were removed long ago. Ages are told by the file
 * system's own clock. Any number of processes may sweep at once.
 */
export async function sweepState(
  place: { readonly keys: string; readonly temp: string; readonly hasLinks: boolean; readonly gate: Gate },
  ages: SweepAges,
  log: Log,
): Promise<{ readonly temps: number; readonly keys: number }> {
  const { keys, temp, hasLinks, gate } = place;
  const nowMs = await gate.run(`sweeping ${temp}`, () => fileSystemNow(temp));
  const temps = await sweepTemp(temp, nowMs - ages.tempMs, gate);
  const { versions } = await scanKeys({ keys, parts: [], hasLinks, gate, keepsValues: false });
  let removed = 0;
  for (const [directory, { number, header }] of versions) {
    if (!header.removed) continue;
    const done = await gate.run(`sweeping ${directory}`, () => sweepTombstone({ keys, directory, number }, nowMs - ages.tombstoneMs));
    if (done) removed += 1;
  }
  if (temps + removed > 0) log.info("swept the store", { temps, keys: removed });
  return { temps, keys: removed };
}

async function fileSystemNow(temp: string): Promise<number> {
  const probe = join(temp, tempName());
  await writeNewFile(probe, new Uint8Array(), 0o600);
  try {
    return (await stat(probe)).mtimeMs;
  } finally {
    await unlink(probe).catch(() => undefined);
  }
}

async function sweepTemp(temp: string, olderThanMs: number, gate: Gate): Promise<number> {
  const names = await gate.run(`sweeping ${temp}`, () => readdir(temp));
  let removed = 0;
  for (const name of names.filter((name) => name.startsWith(TEMP_PREFIX)).slice(0, MAX_TEMP)) {
    const done = await gate.run(`sweeping ${temp}`, () => removeOlder(join(temp, name), olderThanMs));
    if (done) removed += 1;
  }
  return removed;
}

/** Removes a file last written before a time; false when it is younger or somebody else was first. */
async function removeOlder(file: string, olderThanMs: number): Promise<boolean> {
  try {
    if ((await stat(file)).mtimeMs >= olderThanMs) return false;
    await unlink(file);
    return true;
  } catch (error) {
    if (systemCode(error) === "ENOENT") return false;
    throw error;
  }
}

async function sweepTombstone(
  key: { readonly keys: string; readonly directory: string; readonly number: number },
  olderThanMs: number,
): Promise<boolean> {
  const { keys, directory, number } = key;
  const numbers = await versionNumbers(directory);
  if (numbers[0] !== number) return false;
  for (const old of [...numbers].reverse().slice(0, -1)) await unlink(join(directory, versionName(old))).catch(() => undefined);
  if (!(await removeOlder(join(directory, versionName(number)), olderThanMs))) return false;
  for (let empty = directory; empty !== keys && (await removeEmpty(empty)); empty = dirname(empty));
  return true;
}

async function removeEmpty(directory: string): Promise<boolean> {
  try {
    await rmdir(directory);
    return true;
  } catch {
    return false; // it holds other keys, or a writer was quicker
  }
}

const FIRST_SWEEP_MS = 60_000;
const SWEEP_EVERY_MS = 3_600_000;

/** Sweeps a minute after the start, then hourly. */
export function startSweeping(place: Parameters<typeof sweepState>[0], log: Log): { close(): void } {
  let timer: NodeJS.Timeout | undefined;
  let isClosed = false;
  const sweepLater = (ms: number): void => {
    if (isClosed) return;
    timer = setTimeout(() => {
      sweepState(place, SWEEP_AGES, log)
        .catch((error: unknown) => log.warn("the store could not be swept", { problem: toFarmError(error).message }))
        .finally(() => sweepLater(SWEEP_EVERY_MS));
    }, ms);
    timer.unref();
  };
  sweepLater(FIRST_SWEEP_MS);
  return {
    close() {
      isClosed = true;
      clearTimeout(timer);
    },
  };
}
