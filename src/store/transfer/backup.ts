import { FarmError, type Clock } from "../../base/index.ts";
import { spool } from "../blobs/spool.ts";
import { END_NAME, entryName, FORM, HEAD_NAME } from "./archive.ts";
import { writeArchive, type ArchiveWriter } from "./archive-write.ts";
import { isFlat, type FolderName, type TransferEnd } from "./end.ts";
import { isKept, movedValue } from "./kinds.ts";
import { filesOf } from "./mirror-folder.ts";

/** What a backup holds. */
export interface BackupCounts {
  readonly keys: number;
  readonly files: number;
  readonly blobs: number;
}

/** What a backup became. */
export interface BackupReport extends BackupCounts {
  readonly farm: string;
  readonly file: string;
  readonly bytes: number;
  readonly ms: number;
}

/** Files up to this size wait in memory, larger ones in a temporary file, until their digest is known. */
const IN_MEMORY = 4 * 1024 * 1024;

/**
 * Writes everything a farm needs to live again into one tar archive: keys, then files, then blobs, so that what a key names is there. Values are as
 * they are stored, sealed ones sealed. Memory: the keys of the store, and 4 MiB.
 * @throws OUTPUT_FILE_UNWRITABLE @throws CANCELLED; the store's errors
 */
export async function backupStore(
  end: TransferEnd,
  file: string,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<BackupReport> {
  const startMs = clock.monotonicMs();
  const farm = await end.store.farmId();
  const madeAt = clock.now();
  const counts = { keys: 0, files: 0, blobs: 0 };
  const bytes = await writeArchive(file, new Date(madeAt), async (archive) => {
    const writer = endsWith(signal, archive);
    await writer.add(HEAD_NAME, json({ form: FORM, farm, madeAt, from: end.store.location }));
    counts.keys = await addKeys(writer, end);
    const folders: readonly FolderName[] = end.content === undefined ? ["config", "certificates"] : ["config", "certificates", "content"];
    for (const name of folders) counts.files += await addFolder(writer, end, name);
    counts.blobs = await addBlobs(writer, end);
    await writer.add(END_NAME, json(counts));
  });
  return { farm, file, bytes, ...counts, ms: clock.monotonicMs() - startMs };
}

/** Ctrl-C leaves nothing behind. */
function endsWith(signal: AbortSignal, writer: ArchiveWriter): ArchiveWriter {
  const wanted = (): void => {
    if (signal.aborted) throw new FarmError("CANCELLED", "the backup was cancelled");
  };
  return {
    async add(name, bytes) {
      wanted();
      await writer.add(name, bytes);
    },
    async addStream(name, octets) {
      wanted();
      await writer.addStream(name, octets);
    },
  };
}

const json = (value: unknown): Uint8Array => Buffer.from(`${JSON.stringify(value)}\n`);

async function addKeys(writer: ArchiveWriter, { store }: TransferEnd): Promise<number> {
  let count = 0;
  for (const entry of await store.state.list("")) {
    if (!isKept(entry.key)) continue;
    await writer.add(entryName({ kind: "key", key: entry.key }), movedValue(entry));
    count += 1;
  }
  return count;
}

async function addFolder(writer: ArchiveWriter, { store }: TransferEnd, folder: FolderName): Promise<number> {
  let count = 0;
  for await (const { path } of filesOf(store.folder(folder), isFlat(folder))) {
    if ((await store.folder(folder).stat(path)) === undefined) continue; // removed since
    const octets = await spool(store.folder(folder).open(path), IN_MEMORY);
    try {
      const { size, hex: digest } = octets;
      await writer.addStream(entryName({ kind: "file", folder, path }), { size, digest, read: () => octets.read() });
      count += 1;
    } finally {
      await octets.close();
    }
  }
  return count;
}

async function addBlobs(writer: ArchiveWriter, { blobs }: TransferEnd): Promise<number> {
  let count = 0;
  for await (const { digest, size } of blobs.list()) {
    if (!(await blobs.has(digest))) continue; // swept away since
    const hex = digest.slice("sha256:".length);
    await writer.addStream(entryName({ kind: "blob", digest }), { size, digest: hex, read: () => blobs.get(digest) });
    count += 1;
  }
  return count;
}
