import { toFarmError } from "../../base/index.ts";
import { pause } from "../bell.ts";
import type { Store } from "../contract.ts";
import { digestOf } from "./digest.ts";
import { isFlat, type FolderName, type TransferEnd } from "./end.ts";
import { inLanes } from "./in-lanes.ts";
import { isMoved, movedValue } from "./kinds.ts";
import { fileDigest, filesOf, type FolderMirror } from "./mirror-folder.ts";

/** What a comparison by SHA-256 found. */
export interface Verification {
  readonly keys: number;
  readonly files: number;
  readonly blobs: number;
  /** Names that differ or are missing: `state/…`, `certificates/…`, `blobs/…`. Empty = level. */
  readonly differing: readonly string[];
}

/** What is known to differ, and why. */
interface Excused {
  readonly taken: ReadonlySet<string>;
  readonly unfit: ReadonlySet<string>;
  readonly folders: ReadonlyMap<FolderName, FolderMirror>;
}

/** How often one name is looked at again while the farm changes it. */
const LOOKS = 40;
const PAUSE_MS = 250;
const LANES = 6;

/**
 * Compares every key, file and blob of two stores. While the farm runs each changes now and then: what differs is looked at again, until both
 * are the same at one moment, or for ten seconds.
 */
export async function verifyCopy(from: TransferEnd, to: TransferEnd, excused: Excused): Promise<Verification> {
  const differing: string[] = [];
  const keys = await verifyKeys(from.store.state, to.store.state, excused, differing);
  let files = 0;
  for (const [name, mirror] of excused.folders) files += await verifyFolder({ from, to, name, mirror }, differing);
  const blobs = from.blobs.location === to.blobs.location ? 0 : await verifyBlobs(from, to, differing);
  return { keys, files, blobs, differing: differing.toSorted() };
}

async function verifyKeys(from: Store, to: Store, excused: Excused, differing: string[]): Promise<number> {
  const isCompared = (key: string): boolean => isMoved(key) && !excused.taken.has(key) && !excused.unfit.has(key);
  const there = new Map((await to.list("")).map(({ key, value }) => [key, digestOf(value)]));
  const doubtful = new Set([...there.keys()].filter(isCompared));
  let count = 0;
  for (const entry of await from.list("")) {
    if (!isCompared(entry.key)) continue;
    count += 1;
    if (there.get(entry.key) === digestOf(movedValue(entry))) doubtful.delete(entry.key);
    else doubtful.add(entry.key);
  }
  await inLanes(doubtful, LANES, async (key) => {
    const read = async (store: Store): Promise<string | undefined> => {
      const entry = await store.read(key);
      return entry === undefined ? undefined : digestOf(movedValue(entry));
    };
    const isSame = await becomesSame(
      () => read(from),
      () => read(to),
      () => !isCompared(key),
    );
    if (!isSame) differing.push(`state/${key}`);
  });
  return count;
}

async function verifyFolder(
  pair: { readonly from: TransferEnd; readonly to: TransferEnd; readonly name: FolderName; readonly mirror: FolderMirror },
  differing: string[],
): Promise<number> {
  const { name, mirror } = pair;
  const [from, to] = [pair.from.store.folder(name), pair.to.store.folder(name)];
  const isCompared = (path: string): boolean => !mirror.taken.has(path) && !mirror.unfit.has(path) && !mirror.tooLarge.has(path);
  const doubtful = new Set<string>();
  for await (const { path } of filesOf(to, isFlat(name))) if (isCompared(path)) doubtful.add(path);
  let count = 0;
  await inLanes(filesOf(from, isFlat(name)), LANES, async ({ path }) => {
    if (!isCompared(path)) return;
    count += 1;
    if ((await fileDigest(to, path)) === (await fileDigest(from, path))) doubtful.delete(path);
    else doubtful.add(path);
  });
  await inLanes(doubtful, LANES, async (path) => {
    const isSame = await becomesSame(
      () => fileDigest(from, path),
      () => fileDigest(to, path),
      () => !isCompared(path),
    );
    if (!isSame) differing.push(`${name}/${path}`);
  });
  return count;
}

/** Reading a blob checks it. */
async function verifyBlobs(from: TransferEnd, to: TransferEnd, differing: string[]): Promise<number> {
  let count = 0;
  await inLanes(from.blobs.list(), LANES, async ({ digest }) => {
    count += 1;
    try {
      for await (const _piece of to.blobs.get(digest)) continue;
    } catch (error) {
      const { code } = toFarmError(error);
      if (code !== "STORE_CORRUPT" && (await to.blobs.has(digest))) throw error;
      if (await from.blobs.has(digest)) differing.push(`blobs/${digest}`);
    }
  });
  return count;
}

/** `isExcused` is asked at each look: somebody else may have changed it in the meantime. */
async function becomesSame<T>(from: () => Promise<T>, to: () => Promise<T>, isExcused: () => boolean): Promise<boolean> {
  for (let looks = 1; ; looks += 1) {
    const before = await from();
    const copy = await to();
    if (copy === before || copy === (await from()) || isExcused()) return true;
    if (looks === LOOKS) return false;
    await pause(PAUSE_MS, AbortSignal.timeout(10_000));
  }
}
