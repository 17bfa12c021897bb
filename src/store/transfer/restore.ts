import { FarmError, toFarmError, type Clock } from "../../base/index.ts";
import { pause } from "../bell.ts";
import type { Entry, Store } from "../contract.ts";
import { isBelow } from "../key.ts";
import { isLeaseUsed } from "../lease.ts";
import { entryPlace, type EntryPlace } from "./archive.ts";
import { readArchive, type ArchiveEntry, type BackupHead } from "./archive-read.ts";
import type { BackupCounts } from "./backup.ts";
import { digestOf } from "./digest.ts";
import { isFlat, type FolderName, type TransferEnd } from "./end.ts";
import { isKept, LEASES } from "./kinds.ts";
import { filesOf } from "./mirror-folder.ts";

/** What a backup is. */
export interface BackupFacts extends BackupHead, BackupCounts {}

/** What was done to the keys or the files of a place. */
export interface RestoreCounts {
  readonly written: number;
  /** There already, with the same octets. */
  readonly same: number;
  /** Not in the backup. */
  readonly removed: number;
}

/** What a restore did. */
export interface RestoreReport {
  readonly farm: string;
  readonly keys: RestoreCounts;
  readonly files: RestoreCounts;
  readonly blobs: { readonly written: number; readonly same: number };
  /** Files that the place has no folder for: web content, where blobs are in a bucket. */
  readonly skipped: number;
  /** How many secrets in the clear were left out, since the place takes them sealed only; and the first of them. */
  readonly left: { readonly count: number; readonly first?: string };
  readonly ms: number;
}

/** Larger files are refused: a folder takes a file as a whole, from memory. */
const MAX_FILE_BYTES = 512 * 1024 * 1024;
/** The longest that a lease is watched for a sign of its holder. */
const MAX_WATCH_MS = 20_000;

/** Reads all of a backup and checks every digest; nothing is written anywhere. @throws BACKUP_DAMAGED @throws STORE_NEWER @throws INPUT_FILE_UNUSABLE */
export async function verifyBackup(file: string): Promise<BackupFacts> {
  const counts = { keys: 0, files: 0, blobs: 0 };
  const heads: BackupHead[] = [];
  await readArchive(file, {
    onHead: (head) => heads.push(head),
    async onEntry(entry) {
      const { kind } = placeOf(file, entry);
      if (kind === "blob") counts.blobs += 1;
      else counts[kind === "key" ? "keys" : "files"] += 1;
      for await (const _piece of entry.read()) continue;
    },
  });
  const [head] = heads;
  if (head === undefined) throw new FarmError("BACKUP_DAMAGED", `${file} is empty`, { facts: { file } });
  return { ...head, ...counts };
}

/**
 * Makes a place what a backup says. The backup should have been verified before: it is checked again on the way, but what came before a damaged entry is
 * written then. @throws STORE_NOT_EMPTY without `overwrite` @throws STORE_IN_USE @throws STORE_OF_ANOTHER_FARM; as verifyBackup
 */
export async function restoreStore(
  file: string,
  end: TransferEnd,
  options: { readonly overwrite: boolean; readonly clock: Clock; readonly signal: AbortSignal },
): Promise<RestoreReport> {
  const startMs = options.clock.monotonicMs();
  const before = await end.store.state.list("");
  if (!options.overwrite) await requireEmpty(end, before);
  await requireQuiet(end.store.state);
  const farm = await end.store.farmId();
  const work = new Restoring(end, before);
  await readArchive(file, {
    onHead(head) {
      if (head.farm === farm) return;
      throw new FarmError("STORE_OF_ANOTHER_FARM", `${end.store.location} belongs to farm ${farm}, the backup to farm ${head.farm}`);
    },
    async onEntry(entry) {
      if (options.signal.aborted) throw new FarmError("CANCELLED", "the restore was cancelled; run it again with --overwrite");
      await work.take(placeOf(file, entry), entry);
    },
  });
  await work.removeRest();
  return { farm, ...work.counts, ms: options.clock.monotonicMs() - startMs };
}

function placeOf(file: string, { name }: ArchiveEntry): EntryPlace {
  const place = entryPlace(name);
  if (place !== undefined) return place;
  throw new FarmError("BACKUP_DAMAGED", `${file}: ${name}: no entry of a backup has such a name`, { facts: { file, entry: name } });
}

async function requireEmpty({ store }: TransferEnd, keys: readonly Entry[]): Promise<void> {
  const [key] = keys;
  const [certificate] = await store.folder("certificates").names();
  const [config] = await store.folder("config").names();
  const found = key === undefined ? (certificate ?? config) : `state/${key.key}`;
  if (found === undefined) return;
  throw new FarmError("STORE_NOT_EMPTY", `${store.location} is not empty: it has ${found}`, { facts: { found } });
}

/** A holder renews its lease within a third of its time: a lease that moves has one. */
async function requireQuiet(state: Store): Promise<void> {
  const held = (await state.list(LEASES)).filter((entry) => isLeaseUsed(entry, BigInt(Number.MAX_SAFE_INTEGER)));
  if (held.length === 0) return;
  const longest = Math.max(...held.map(({ value }) => ttlOf(value)));
  await pause(Math.min(longest, MAX_WATCH_MS), AbortSignal.timeout(MAX_WATCH_MS + 1000));
  for (const { key, rev } of held) {
    const now = await state.read(key);
    if (now === undefined || now.rev === rev) continue;
    throw new FarmError("STORE_IN_USE", `a process works on the store: it renewed ${key}`, { facts: { key } });
  }
}

function ttlOf(value: Uint8Array): number {
  const { ttlMs }: { ttlMs?: unknown } = JSON.parse(Buffer.from(value).toString("utf8")) as object; // isLeaseUsed has read it
  return typeof ttlMs === "number" ? ttlMs : 0;
}

/** A restore that runs. */
class Restoring {
  readonly #end: TransferEnd;
  /** What was there and is not in the backup, as far as it was read. */
  readonly #rest: Map<string, Entry>;
  readonly #files = new Map<FolderName, Set<string>>();
  readonly counts = {
    keys: { written: 0, same: 0, removed: 0 },
    files: { written: 0, same: 0, removed: 0 },
    blobs: { written: 0, same: 0 },
    skipped: 0,
    left: { count: 0 } as { count: number; first?: string }, // the first one has no name yet
  };

  constructor(end: TransferEnd, before: readonly Entry[]) {
    this.#end = end;
    this.#rest = new Map(before.map((entry) => [entry.key, entry]));
  }

  async take(place: EntryPlace, entry: ArchiveEntry): Promise<void> {
    if (place.kind === "key") return this.#takeKey(place.key, await collect(entry));
    if (place.kind === "file") return this.#takeFile(place, entry);
    if (await this.#end.blobs.has(place.digest)) {
      this.counts.blobs.same += 1;
      return;
    }
    await this.#end.blobs.put(entry.read());
    this.counts.blobs.written += 1;
  }

  #takes(name: string, bytes: Uint8Array): boolean {
    const takes = this.#end.takes?.(name, bytes) ?? true;
    if (!takes) this.counts.left = { first: name, ...this.counts.left, count: this.counts.left.count + 1 };
    return takes;
  }

  async #takeKey(key: string, value: Uint8Array): Promise<void> {
    const there = this.#rest.get(key);
    this.#rest.delete(key);
    if (!this.#takes(`state/${key}`, value)) return;
    // A fence never goes back.
    if (there !== undefined && (isBelow(LEASES, key) || digestOf(there.value) === digestOf(value))) {
      this.counts.keys.same += 1;
      return;
    }
    await writeSurely(this.#end.store.state, { key, value, there });
    this.counts.keys.written += 1;
  }

  async #takeFile({ folder: name, path }: Extract<EntryPlace, { kind: "file" }>, entry: ArchiveEntry): Promise<void> {
    if (name === "content" && this.#end.content === undefined) {
      this.counts.skipped += 1;
      return;
    }
    if (entry.size > MAX_FILE_BYTES)
      throw new FarmError("STORE_VALUE_TOO_LARGE", `${entry.name} has ${entry.size} octets; at most ${MAX_FILE_BYTES} are restored`);
    const folder = this.#end.store.folder(name);
    const bytes = await collect(entry);
    const known = this.#files.get(name) ?? new Set();
    this.#files.set(name, known.add(path));
    if (!this.#takes(`${name}/${path}`, bytes)) return;
    const stat = await folder.stat(path);
    const there = stat?.size === bytes.byteLength ? await folder.read(path, { maxBytes: MAX_FILE_BYTES }) : undefined;
    const isSame = there !== undefined && digestOf(there.bytes) === digestOf(bytes);
    if (!isSame) await folder.put(path, bytes);
    this.counts.files[isSame ? "same" : "written"] += 1;
  }

  /** What is not in the backup is not in the place either, except what a backup never has. */
  async removeRest(): Promise<void> {
    for (const { key, rev } of this.#rest.values()) {
      if (!isKept(key) || isBelow(LEASES, key)) continue;
      await this.#end.store.state.remove(key, rev);
      this.counts.keys.removed += 1;
    }
    const names: readonly FolderName[] =
      this.#end.content === undefined ? ["config", "certificates"] : ["config", "certificates", "content"];
    for (const name of names) {
      const folder = this.#end.store.folder(name);
      for await (const { path } of filesOf(folder, isFlat(name))) {
        if (this.#files.get(name)?.has(path) === true) continue;
        await folder.remove(path);
        this.counts.files.removed += 1;
      }
    }
  }
}

async function collect(entry: ArchiveEntry): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const piece of entry.read()) parts.push(piece);
  return new Uint8Array(Buffer.concat(parts));
}

/** A write without an answer is read back. */
async function writeSurely(
  state: Store,
  { key, value, there }: { readonly key: string; readonly value: Uint8Array; readonly there: Entry | undefined },
): Promise<void> {
  try {
    await state.write(key, value, there?.rev);
  } catch (error) {
    if (toFarmError(error).code !== "STORE_UNKNOWN") throw error;
    const found = await state.read(key);
    if (found === undefined || digestOf(found.value) !== digestOf(value)) throw error;
  }
}
