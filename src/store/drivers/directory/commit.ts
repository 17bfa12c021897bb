import { link, stat, unlink } from "node:fs/promises";
import { join } from "node:path";

import { FarmError, systemCode } from "../../../base/index.ts";
import type { Rev } from "../../contract.ts";
import { createInPlace } from "./commit-in-place.ts";
import {
  conflict,
  makeDirectories,
  nextVersion,
  unknownOutcome,
  type Commit,
  type CommitProgress,
  type KeyPlace,
  type NextVersion,
} from "./commit-step.ts";
import { diskError, syncDirectory, tempName, writeNewFile } from "./disk.ts";
import { versionName } from "./key-path.ts";
import { ANCESTORS } from "./version-file.ts";
import { liveRev, readLatest, versionNumbers } from "./versions.ts";

/** Versions that are kept for readers on their way. */
export const KEPT_VERSIONS = 4;
/** Old versions one commit removes at most. */
const PRUNE_AT_ONCE = 50;
const TRIES = 4;

/**
 * Compare-and-set by creating version n + 1 exclusively. That creation is the one moment at which it happens: before it nothing was
 * written, after it the version is whole and flushed.
 * @throws STORE_CONFLICT STORE_UNKNOWN STORE_UNAVAILABLE STORE_CORRUPT
 */
export async function commitVersion(place: KeyPlace, commit: Commit, progress: CommitProgress): Promise<Rev> {
  for (let attempt = 1; attempt <= TRIES; attempt += 1) {
    const before = await readLatest(commit.directory, place.hasLinks);
    if (liveRev(before) !== commit.expect) throw conflict(commit);
    const next = place.hasLinks
      ? await createByLink(place, nextVersion(commit, before, (before?.number ?? 0) + 1), progress)
      : await createInPlace(place, { commit, before }, progress);
    if (next === undefined) continue;
    await prune(commit.directory, next.number);
    return next.rev;
  }
  throw new FarmError("STORE_UNAVAILABLE", `${commit.key} changes faster than it can be written`, { facts: { key: commit.key } });
}

/** Writes a temporary file and links it to its place. undefined = look again: the directory or the temporary file was swept away. */
export async function createByLink(place: KeyPlace, next: NextVersion, progress: CommitProgress): Promise<NextVersion | undefined> {
  const temp = join(place.temp, tempName());
  await writeNewFile(temp, next.bytes, 0o600);
  try {
    progress.sent = true;
    if (!(await linkInto(place, temp, next))) return undefined;
    return (await settle(next)) ? next : undefined;
  } finally {
    await unlink(temp).catch(() => undefined); // the sweeper takes what stays
  }
}

async function linkInto(place: KeyPlace, temp: string, next: NextVersion): Promise<boolean> {
  for (const isFirst of [true, false]) {
    try {
      await link(temp, next.file);
      return true;
    } catch (error) {
      // NFS may report a failure after success: the number of links tells.
      if (await hasTwoLinks(temp, next.commit, error)) return true;
      if (systemCode(error) === "EEXIST") throw conflict(next.commit);
      if (systemCode(error) !== "ENOENT") throw diskError(error, `writing ${next.commit.key}`);
      if (isFirst) await makeDirectories(place.keys, next.commit.directory);
    }
  }
  return false;
}

async function hasTwoLinks(temp: string, commit: Commit, cause: unknown): Promise<boolean> {
  try {
    return (await stat(temp)).nlink > 1;
  } catch (error) {
    if (systemCode(error) === "ENOENT") return false; // swept away: the link cannot have been made
    throw unknownOutcome(commit, cause);
  }
}

/**
 * Flushes the name, then makes sure that the version follows the one it was meant to follow. A writer that slept for long may have
 * filled a gap left by pruning: harmless, since a higher version is there, but then it did not succeed. False = start again.
 */
async function settle(next: NextVersion): Promise<boolean> {
  const { directory } = next.commit;
  try {
    await syncDirectory(directory);
    const numbers = await versionNumbers(directory);
    const isHighest = numbers[0] === next.number;
    if (isHighest && (next.before === undefined || numbers.includes(next.before.number))) return true;
    if (!isHighest && (await isBuiltOn(next))) return true;
    await removeIfPresent(next.file);
    if (isHighest) return false; // the key was removed and swept away in between
  } catch (error) {
    throw unknownOutcome(next.commit, error);
  }
  throw conflict(next.commit);
}

/** Another writer's pruning may take a version that filled a gap first: gone is gone. */
async function removeIfPresent(file: string): Promise<void> {
  await unlink(file).catch((error: unknown) => {
    if (systemCode(error) !== "ENOENT") throw error;
  });
}

/** Whether the present version descends from this one. @throws when there were too many in between to tell */
async function isBuiltOn(next: NextVersion): Promise<boolean> {
  const now = await readLatest(next.commit.directory, true);
  if (now === undefined) return false;
  if (now.header.ancestors.includes(next.rev)) return true;
  if (now.number - next.number > ANCESTORS) throw new Error("too many later versions were written meanwhile");
  return false;
}

async function prune(directory: string, newest: number): Promise<void> {
  try {
    const old = (await versionNumbers(directory)).filter((number) => number <= newest - KEPT_VERSIONS);
    for (const number of old.reverse().slice(0, PRUNE_AT_ONCE)) await unlink(join(directory, versionName(number)));
  } catch {
    // Another writer prunes too, or the disk is away: the next commit goes on.
  }
}
