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
import { readLatest, type Version, versionNumbers } from "./versions.ts";

/** A claim that is not filled and has stood still for this long is a dead writer's. */
const DEAD_AFTER_MS = 1500;

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
  if (highest > last && !(await isAbandoned(join(commit.directory, versionName(highest))))) throw conflict(commit);
  const next = nextVersion(commit, before, Math.max(highest, last) + 1);
  progress.sent = true;
  const file = await claim(place, next);
  if (file === undefined) return undefined;
  await requirePredecessor(next, file);
  await fill(next, file);
  const numbers = await versionNumbers(commit.directory).catch((error: unknown) => {
    throw unknownOutcome(commit, error);
  });
  if (numbers[0] === next.number) return next;
  throw unknownOutcome(commit, "another writer took this one for dead");
}

async function isAbandoned(file: string): Promise<boolean> {
  try {
    const before = await stat(file, { bigint: true });
    await pause(DEAD_AFTER_MS, AbortSignal.timeout(2 * DEAD_AFTER_MS));
    const after = await stat(file, { bigint: true });
    return before.size === after.size && before.mtimeNs === after.mtimeNs;
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
