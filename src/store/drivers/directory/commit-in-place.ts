import { open, stat, unlink, type FileHandle } from "node:fs/promises";
import { join } from "node:path";

import { FarmError, systemCode } from "../../../base/index.ts";
import { pause } from "../../bell.ts";
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
import { diskError, syncDirectory, writeAndSync } from "./disk.ts";
import { versionName } from "./key-path.ts";
import { readLatest, readVersion, type Version, versionNumbers } from "./versions.ts";

/** A claim that is not filled and has stood still for this long is a dead writer's. */
const DEAD_AFTER_MS = 1500;
const LOOK_EVERY_MS = 30;

/**
 * For file systems without links: the name is claimed first and filled then; readers pass over it until it is whole. Claim, look at
 * the predecessor, fill, look for a successor: of two writers that meet at least one notices, and says so.
 * undefined = look again.
 */
export async function createInPlace(
  place: KeyPlace,
  step: { readonly commit: Commit; readonly before: Version | undefined },
  progress: CommitProgress,
): Promise<NextVersion | undefined> {
  const { commit, before } = step;
  const highest = (await versionNumbers(commit.directory))[0] ?? 0;
  const last = before?.number ?? 0;
  if (highest > last && !(await isAbandoned(commit.directory, highest))) throw conflict(commit);
  const next = nextVersion(commit, before, Math.max(highest, last) + 1);
  progress.sent = true;
  const file = await claim(place, next);
  if (file === undefined) return undefined;
  await requirePredecessor(next, file);
  await fill(next, file);
  await requireFollowed(next);
  return next;
}

const FOLLOWED_TRIES = 25;

/** A later version must build on this one; a claim that is still being filled is waited for a little. */
async function requireFollowed(next: NextVersion): Promise<void> {
  const { commit, number, rev } = next;
  try {
    for (let attempt = 1; attempt <= FOLLOWED_TRIES; attempt += 1) {
      const successor = (await versionNumbers(commit.directory)).findLast((other) => other > number);
      if (successor === undefined) return;
      const content = await readVersion(commit.directory, successor);
      if (content !== undefined && content !== "short") {
        if (content.header.ancestors.includes(rev)) return;
        break;
      }
      await pause(20, AbortSignal.timeout(1000));
    }
  } catch (error) {
    throw unknownOutcome(commit, error);
  }
  throw unknownOutcome(commit, "another writer took this one for dead");
}

/** Watches a claim that is not filled: true when it stands still long enough, false as soon as its writer shows to be alive. */
async function isAbandoned(directory: string, number: number): Promise<boolean> {
  const file = join(directory, versionName(number));
  try {
    const before = await stat(file, { bigint: true });
    for (let waitedMs = 0; waitedMs < DEAD_AFTER_MS; waitedMs += LOOK_EVERY_MS) {
      await pause(LOOK_EVERY_MS, AbortSignal.timeout(DEAD_AFTER_MS));
      const now = await stat(file, { bigint: true });
      if (now.size !== before.size || now.mtimeNs !== before.mtimeNs) return false;
      if ((await readVersion(directory, number)) !== "short") return false;
    }
    return true;
  } catch (error) {
    if (systemCode(error) === "ENOENT") return false;
    throw error;
  }
}

async function claim(place: KeyPlace, next: NextVersion): Promise<FileHandle | undefined> {
  try {
    return await open(next.file, "wx", 0o600);
  } catch (error) {
    if (systemCode(error) === "EEXIST") throw conflict(next.commit);
    if (systemCode(error) !== "ENOENT") throw diskError(error, `writing ${next.commit.key}`);
    await makeDirectories(place.keys, next.commit.directory);
    return undefined;
  }
}

async function withdraw(next: NextVersion, file: FileHandle): Promise<void> {
  await file.close().catch(() => undefined);
  await unlink(next.file);
}

/** The claim may fill a gap left by pruning, or a writer taken for dead may have come back. */
async function requirePredecessor(next: NextVersion, file: FileHandle): Promise<void> {
  try {
    const now = await readLatest(next.commit.directory, false);
    if (now?.header.rev === next.before?.header.rev) return;
    await withdraw(next, file);
  } catch (error) {
    await withdraw(next, file).catch(() => undefined);
    throw diskError(error, `writing ${next.commit.key}`);
  }
  throw conflict(next.commit);
}

async function fill(next: NextVersion, file: FileHandle): Promise<void> {
  try {
    await writeAndSync(file, next.bytes);
  } catch (error) {
    try {
      await unlink(next.file);
    } catch (second) {
      throw unknownOutcome(next.commit, second);
    }
    throw diskError(error, `writing ${next.commit.key}`);
  }
  try {
    await syncDirectory(next.commit.directory);
  } catch (error) {
    if (error instanceof FarmError) throw error;
    throw unknownOutcome(next.commit, error);
  }
}
