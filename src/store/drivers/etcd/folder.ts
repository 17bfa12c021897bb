import { FarmError, toFarmError } from "../../../base/index.ts";
import type { FileStat, Folder } from "../../contract.ts";
import { folderPathParts, requireValueSize } from "../../key.ts";
import { changedMeanwhile, tooLarge } from "../../limits.ts";
import { newWriteId, seal, unseal } from "./envelope.ts";
import { putSealed, removeMarked } from "./keys.ts";
import { listKeys, listNames } from "./list.ts";
import { readGuarded, readHead, revOf } from "./place.ts";
import { watchSubject, type EtcdWatchSource } from "./watch.ts";
import { rangeBelow, type WireEvent } from "./wire.ts";

/** A folder over keys of etcd. `place.keys` is what stands before each path. */
export interface EtcdFolderParts extends EtcdWatchSource {
  /** For people. */
  readonly name: string;
  readonly closed: AbortSignal;
}

/** A write without an expectation gives way to others this often before it says so. */
const WRITE_TRIES = 8;
/** Before the octets of each file: milliseconds since 1970 by the writer's clock. */
const TIME_BYTES = 8;

interface File {
  readonly bytes: Uint8Array;
  readonly stat: FileStat;
  readonly revision: number;
}

/**
 * Files as values of keys: the path is the key, the stamp is the cluster and the revision of the last write. The watch tells every change,
 * so that nobody need poll. Files are at most 512 KiB.
 */
export function createEtcdFolder(parts: EtcdFolderParts): Folder {
  const { name, place } = parts;

  async function find(path: string): Promise<File | undefined> {
    folderPathParts(path);
    const entry = await readGuarded(place, path);
    return entry === undefined ? undefined : { ...fileOf(path, entry), revision: entry.revision };
  }
  /** Over the version that is there now, whichever; another writer in between makes it try again. */
  async function change<T>(path: string, work: (revision: number | undefined) => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries += 1) {
      const now = await readGuarded(place, path);
      try {
        return await work(now?.revision);
      } catch (error) {
        if (tries === WRITE_TRIES || toFarmError(error).code !== "STORE_CONFLICT") throw error;
      }
    }
  }
  async function write(path: string, bytes: Uint8Array, revision: number | undefined): Promise<FileStat> {
    const id = newWriteId();
    const mtimeMs = parts.clock.now();
    const expect = revision === undefined ? undefined : revOf(revision);
    const written = await putSealed(place, { key: path, id, expect }, seal(id, withTime(mtimeMs, bytes)));
    return { path, size: bytes.byteLength, mtimeMs, stamp: stampOf(place.gateway.cluster, written) };
  }

  return {
    tellsAll: true,
    names: async () => (await listNames(place)).keys.filter((key) => !key.includes("/")),
    async *walk() {
      const { entries, cluster } = await listKeys(place, "");
      for (const { key, value, rev } of entries) yield statOf({ path: key, cluster, revision: Number(rev) }, value);
    },
    stat: async (path) => (await find(path))?.stat,
    async read(path, { maxBytes }) {
      const file = await find(path);
      if (file !== undefined && file.bytes.byteLength > maxBytes) throw tooLarge(`${name}/${path}`, file.bytes.byteLength, maxBytes);
      return file === undefined ? undefined : { bytes: file.bytes, stat: file.stat };
    },
    async *open(path, { signal } = {}) {
      const file = await find(path);
      if (signal?.aborted === true) throw new FarmError("CANCELLED", `reading ${name}/${path} was cancelled`);
      if (file === undefined) throw new FarmError("STORE_UNAVAILABLE", `reading ${name}/${path}: it is not there`);
      if (file.bytes.byteLength > 0) yield file.bytes;
    },
    async put(path, bytes, { expect } = {}) {
      folderPathParts(path);
      requireValueSize(`${name}/${path}`, bytes);
      if (expect === undefined) return change(path, (revision) => write(path, bytes, revision));
      const now = await find(path);
      if (now === undefined || now.stat.stamp !== expect) throw changedMeanwhile(`${name}/${path}`);
      return write(path, bytes, now.revision);
    },
    async remove(path) {
      folderPathParts(path);
      await change(path, async (revision) => {
        if (revision !== undefined) await removeMarked(place, { key: path, id: newWriteId(), expect: revOf(revision) });
      });
    },
    watch: ({ signal }) => watchFolder(parts, AbortSignal.any([signal, parts.closed])),
  };
}

/** etcd restored from a backup is another cluster: then every file counts as changed, whatever its revision. */
const stampOf = (cluster: string, revision: number): string => `${cluster}:${revision}`;

function withTime(mtimeMs: number, bytes: Uint8Array): Uint8Array {
  const value = Buffer.alloc(TIME_BYTES + bytes.byteLength);
  value.writeDoubleBE(mtimeMs);
  value.set(bytes, TIME_BYTES);
  return value;
}

/** A stored value's head and what follows. @throws STORE_CORRUPT */
function fileOf(
  path: string,
  entry: { readonly value: Uint8Array; readonly revision: number; readonly cluster: string },
): Omit<File, "revision"> {
  const { value } = unseal(path, entry.value);
  return { bytes: value.subarray(TIME_BYTES), stat: statOf({ path, ...entry }, value) };
}

function statOf(
  { path, cluster, revision }: { readonly path: string; readonly cluster: string; readonly revision: number },
  value: Uint8Array,
): FileStat {
  if (value.byteLength < TIME_BYTES) throw new FarmError("STORE_CORRUPT", `${path} in etcd is cut off`, { facts: { file: path } });
  const mtimeMs = Buffer.from(value.buffer, value.byteOffset, TIME_BYTES).readDoubleBE();
  return { path, size: value.byteLength - TIME_BYTES, mtimeMs, stamp: stampOf(cluster, revision) };
}

/** A hint for every change; one without paths at the start and whenever changes may have been missed. */
async function* watchFolder(parts: EtcdFolderParts, signal: AbortSignal): AsyncGenerator<{ readonly paths?: readonly string[] }> {
  const { place, name } = parts;
  const pathOf = (event: WireEvent): string => event.key.slice(place.keys.length);
  const subject = {
    name,
    range: rangeBelow(place.keys),
    list: async () => ({ entries: [], ...(await readHead(place)) }),
    // The value is not looked at: whoever is told reads the file.
    changeOf: (event: WireEvent, cursor: string) => ({ type: "del", key: pathOf(event), cursor }) as const,
  };
  for await (const change of watchSubject(parts, subject, { signal })) {
    // Whoever looks while the store is away finds out that it is.
    if (change.type === "reset" || change.type === "stale") yield {};
    else if (change.type === "del") yield { paths: [change.key] };
  }
}
