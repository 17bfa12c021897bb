import { toFarmError } from "../../base/index.ts";
import { pause } from "../bell.ts";
import type { FileStat, Folder } from "../contract.ts";
import { digestOf } from "./digest.ts";
import { inLanes } from "./in-lanes.ts";

/** Keeps a folder of `to` as `from`'s is. */
export interface FolderMirror {
  /** Looks at all of `from` and carries over what changed. */
  pass(): Promise<void>;
  /** Files that somebody else changed in `to` since, and files that are too large: they are left alone. */
  readonly taken: ReadonlySet<string>;
  readonly tooLarge: ReadonlySet<string>;
  /** Files that `to` does not take as they are. */
  readonly unfit: ReadonlySet<string>;
  readonly counts: { written: number; removed: number };
}

/** Larger files are told by name and not carried: a folder takes a file as a whole, from memory. */
export const MAX_FILE_BYTES = 128 * 1024 * 1024;
const LANES = 6;
const TRIES = 8;
const RETRY_MS = 250;

/** What this copy last saw: the stamps of both sides belong to the same bytes. */
interface Pair {
  readonly from: string;
  readonly to: string;
}

/** Mirrors a folder by stamps; bytes are compared where nothing is known yet. */
export function mirrorFolder(from: Folder, to: Folder, takes: (path: string, bytes: Uint8Array) => boolean): FolderMirror {
  const pairs = new Map<string, Pair>();
  const taken = new Set<string>();
  const tooLarge = new Set<string>();
  const unfit = new Set<string>();
  const counts = { written: 0, removed: 0 };
  /** The files of `to` before this copy; theirs may be written over. */
  let before: Map<string, FileStat> | undefined;

  const stampIn = (path: string): string | undefined => pairs.get(path)?.to ?? before?.get(path)?.stamp;
  async function carry(stat: FileStat): Promise<void> {
    const { path } = stat;
    if (taken.has(path) || pairs.get(path)?.from === stat.stamp) return;
    if (stat.size > MAX_FILE_BYTES) return void tooLarge.add(path);
    const read = await from.read(path, { maxBytes: MAX_FILE_BYTES });
    if (read === undefined) return; // removed since: the next pass tells
    if (!takes(path, read.bytes)) return void unfit.add(path);
    unfit.delete(path);
    const there = stampIn(path);
    if (there !== undefined && (await isSame(to, { path, bytes: read.bytes, stamp: there })))
      return void pairs.set(path, { from: read.stat.stamp, to: there });
    const written = await putFile(to, { path, bytes: read.bytes, expect: there });
    if (written === undefined) return void taken.add(path);
    pairs.set(path, { from: read.stat.stamp, to: written });
    counts.written += 1;
  }
  async function drop(path: string): Promise<void> {
    const known = stampIn(path);
    const there = await to.stat(path);
    if (there !== undefined && there.stamp !== known) return void taken.add(path);
    if (there !== undefined) await to.remove(path);
    pairs.delete(path);
    before?.delete(path);
    counts.removed += 1;
  }
  return {
    taken,
    tooLarge,
    unfit,
    counts,
    async pass() {
      before ??= await statsOf(to);
      const present = new Set<string>();
      const told = async function* (): AsyncGenerator<FileStat> {
        for await (const stat of from.walk()) {
          present.add(stat.path);
          yield stat;
        }
      };
      await inLanes(told(), LANES, carry);
      const surplus = [...new Set([...pairs.keys(), ...before.keys()])].filter((path) => !present.has(path) && !taken.has(path));
      await inLanes(surplus, LANES, drop);
    },
  };
}

async function statsOf(folder: Folder): Promise<Map<string, FileStat>> {
  const stats = new Map<string, FileStat>();
  for await (const stat of folder.walk()) stats.set(stat.path, stat);
  return stats;
}

async function isSame(to: Folder, file: { readonly path: string; readonly bytes: Uint8Array; readonly stamp: string }): Promise<boolean> {
  const found = await to.read(file.path, { maxBytes: MAX_FILE_BYTES });
  return found !== undefined && found.stat.stamp === file.stamp && digestOf(found.bytes) === digestOf(file.bytes);
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

/** What a folder's files have, by path, for comparing. @throws STORE_VALUE_TOO_LARGE never: larger files are left out */
export async function* fileDigests(folder: Folder): AsyncGenerator<{ readonly path: string; readonly digest: string }> {
  for await (const { path, size } of folder.walk()) {
    if (size > MAX_FILE_BYTES) continue;
    const digest = await fileDigest(folder, path);
    if (digest !== undefined) yield { path, digest };
  }
}

/** undefined = there is none. */
export async function fileDigest(folder: Folder, path: string): Promise<string | undefined> {
  const read = await folder.read(path, { maxBytes: MAX_FILE_BYTES });
  return read === undefined ? undefined : digestOf(read.bytes);
}
