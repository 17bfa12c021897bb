import { toFarmError } from "../../base/index.ts";
import { pause } from "../bell.ts";
import type { FileStat, Folder } from "../contract.ts";
import { digestOf } from "./digest.ts";
import { inLanes } from "./in-lanes.ts";

/** Keeps a folder of `to` as `from`'s is. */
export interface FolderMirror {
  /** Looks at these files of `from`, or at all, and carries over what changed. */
  pass(paths?: readonly string[]): Promise<void>;
  /** Files that somebody else changed in `to` since, and files that are too large: they are left alone. */
  readonly taken: ReadonlySet<string>;
  readonly tooLarge: ReadonlySet<string>;
  /** Files that `to` does not take as they are. */
  readonly unfit: ReadonlySet<string>;
  readonly counts: { written: number; removed: number };
}

/** What is known of a folder. */
export interface FolderRules {
  /** Whether it has no sub-folders. */
  readonly isFlat: boolean;
  readonly takes: (path: string, bytes: Uint8Array) => boolean;
}

/** Larger files are told by name and not carried: a folder takes a file as a whole, from memory. */
const MAX_FILE_BYTES = 128 * 1024 * 1024;
const LANES = 6;
const TRIES = 8;
const RETRY_MS = 250;

/** What this copy last saw: the stamps of both sides belong to the same bytes. */
interface Pair {
  readonly from: string;
  readonly to: string;
}

/** Mirrors a folder by stamps; bytes are compared where nothing is known yet. */
export function mirrorFolder(from: Folder, to: Folder, rules: FolderRules): FolderMirror {
  const pairs = new Map<string, Pair>();
  const taken = new Set<string>();
  const tooLarge = new Set<string>();
  const unfit = new Set<string>();
  const counts = { written: 0, removed: 0 };
  /** The files of `to` before this copy; theirs may be written over. */
  let before: Set<string> | undefined;

  async function carry({ path, stamp }: Found): Promise<void> {
    const known = pairs.get(path)?.from;
    if (taken.has(path) || (stamp !== undefined && known === stamp)) return;
    const read = await readFit(from, path);
    // What was removed since is told by the next pass.
    if (read === undefined || known === stampOf(read)) return;
    if (read === "too-large") tooLarge.add(path);
    else if (!rules.takes(path, read.bytes)) unfit.add(path);
    else await bring({ path, ...read });
  }
  async function bring({
    path,
    bytes,
    stat,
  }: {
    readonly path: string;
    readonly bytes: Uint8Array;
    readonly stat: FileStat;
  }): Promise<void> {
    unfit.delete(path);
    const there = before?.delete(path) === true ? await to.read(path, { maxBytes: MAX_FILE_BYTES }) : undefined;
    const isSame = there !== undefined && digestOf(there.bytes) === digestOf(bytes);
    const expect = there?.stat.stamp ?? pairs.get(path)?.to;
    const stamp = isSame ? there.stat.stamp : await putFile(to, { path, bytes, expect });
    if (stamp === undefined) return void taken.add(path);
    pairs.set(path, { from: stat.stamp, to: stamp });
    if (!isSame) counts.written += 1;
  }
  async function drop(path: string): Promise<void> {
    if (!pairs.has(path) && before?.has(path) !== true) return; // nothing of this copy's
    if (!(await removeKnown(to, path, pairs.get(path)?.to))) return void taken.add(path);
    pairs.delete(path);
    before?.delete(path);
    counts.removed += 1;
  }
  async function passAll(theirs: ReadonlySet<string>): Promise<void> {
    const present = new Set<string>();
    await inLanes(noted(filesOf(from, rules.isFlat), present), LANES, carry);
    const surplus = [...new Set([...pairs.keys(), ...theirs])].filter((path) => !present.has(path) && !taken.has(path));
    await inLanes(surplus, LANES, drop);
  }
  return {
    taken,
    tooLarge,
    unfit,
    counts,
    async pass(paths) {
      before ??= await pathsOf(to, rules.isFlat);
      if (paths === undefined) return passAll(before);
      const take = async (path: string): Promise<void> => ((await from.stat(path)) === undefined ? drop(path) : carry({ path }));
      await inLanes(paths, LANES, take);
    },
  };
}

/** False: it is not the version that was known. */
async function removeKnown(to: Folder, path: string, known: string | undefined): Promise<boolean> {
  const there = await to.stat(path);
  if (there !== undefined && known !== undefined && there.stamp !== known) return false;
  if (there !== undefined) await to.remove(path);
  return true;
}

const stampOf = (read: Awaited<ReturnType<typeof readFit>>): string => (typeof read === "object" ? read.stat.stamp : "");

async function* noted(files: AsyncIterable<Found>, present: Set<string>): AsyncGenerator<Found> {
  for await (const file of files) {
    present.add(file.path);
    yield file;
  }
}

/** A file, and its stamp where that costs nothing. */
interface Found {
  readonly path: string;
  readonly stamp?: string;
}

/** Every file of a folder, in bounded memory: in etcd, where changes are told, a walk reads all values at once, names alone cost little. */
export async function* filesOf(folder: Folder, isFlat: boolean): AsyncGenerator<Found> {
  if (folder.tellsAll !== true || !isFlat) return yield* folder.walk();
  for (const path of await folder.names()) yield { path };
}

async function pathsOf(folder: Folder, isFlat: boolean): Promise<Set<string>> {
  const paths = new Set<string>();
  for await (const { path } of filesOf(folder, isFlat)) paths.add(path);
  return paths;
}

async function readFit(folder: Folder, path: string): Promise<Awaited<ReturnType<Folder["read"]>> | "too-large"> {
  try {
    return await folder.read(path, { maxBytes: MAX_FILE_BYTES });
  } catch (error) {
    if (toFarmError(error).code === "STORE_VALUE_TOO_LARGE") return "too-large";
    throw error;
  }
}

/** The new stamp; undefined when somebody else was first. */
async function putFile(
  to: Folder,
  file: { readonly path: string; readonly bytes: Uint8Array; readonly expect: string | undefined },
): Promise<string | undefined> {
  const { path, bytes, expect } = file;
  for (let tries = 1; ; tries += 1) {
    try {
      return (await to.put(path, bytes, expect === undefined ? {} : { expect })).stamp;
    } catch (error) {
      const { code } = toFarmError(error);
      const there = code === "STORE_CONFLICT" || code === "STORE_UNKNOWN" ? await to.read(path, { maxBytes: MAX_FILE_BYTES }) : undefined;
      if (there !== undefined && digestOf(there.bytes) === digestOf(bytes)) return there.stat.stamp;
      if (code === "STORE_CONFLICT") return undefined;
      if (tries === TRIES || (code !== "STORE_UNAVAILABLE" && code !== "STORE_UNKNOWN")) throw error;
    }
    await pause(RETRY_MS * tries, AbortSignal.timeout(10_000));
  }
}

/** Of a folder's file; undefined = there is none, or it is too large to be compared. */
export async function fileDigest(folder: Folder, path: string): Promise<string | undefined> {
  const read = await readFit(folder, path);
  return read === undefined || read === "too-large" ? undefined : digestOf(read.bytes);
}
