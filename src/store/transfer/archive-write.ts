import { once } from "node:events";
import { open, rename, unlink, type FileHandle } from "node:fs/promises";
import { dirname } from "node:path";

import { pack, type Pack } from "tar-stream";

import { FarmError, systemCode } from "../../base/index.ts";
import { syncDirectory } from "../drivers/directory/disk.ts";
import { CHAIN_RECORD, DIGEST_RECORD, nextChain } from "./archive.ts";
import { digestOf } from "./digest.ts";

/** Adds entries to an archive, one after the other. */
export interface ArchiveWriter {
  add(name: string, bytes: Uint8Array): Promise<void>;
  /** Of octets whose length and digest are known. */
  addStream(
    name: string,
    octets: { readonly size: number; readonly digest: string; readonly read: () => AsyncIterable<Uint8Array> },
  ): Promise<void>;
}

/**
 * Writes an archive under a name for the time being and renames it when it is whole and flushed. Gives its size.
 * @throws OUTPUT_FILE_UNWRITABLE; what `fill` throws, and nothing stays behind then
 */
export async function writeArchive(path: string, now: Date, fill: (writer: ArchiveWriter) => Promise<void>): Promise<number> {
  const partial = `${path}.partial`;
  try {
    return await writeWhole({ path, partial, now }, fill);
  } catch (error) {
    await unlink(partial).catch(() => undefined);
    if (!isOfDisk(error)) throw error;
    throw new FarmError("OUTPUT_FILE_UNWRITABLE", `${path} cannot be written: ${systemCode(error)}`, {
      cause: error,
      facts: { file: path },
    });
  }
}

async function writeWhole(
  { path, partial, now }: { readonly path: string; readonly partial: string; readonly now: Date },
  fill: (writer: ArchiveWriter) => Promise<void>,
): Promise<number> {
  const tar = pack();
  const file = await open(partial, "w", 0o600);
  let size: number;
  try {
    const filling = fill(writerOf(tar, now)).then(() => tar.finalize());
    // Whichever fails first ends the other.
    filling.catch(() => tar.destroy());
    const [drained, filled] = await Promise.allSettled([drain(tar, file), filling]);
    if (drained.status === "rejected" && isOfDisk(drained.reason)) throw drained.reason;
    if (filled.status === "rejected") throw filled.reason;
    if (drained.status === "rejected") throw drained.reason;
    size = drained.value;
    await file.sync();
  } finally {
    tar.destroy();
    await file.close();
  }
  await rename(partial, path);
  await syncDirectory(dirname(path));
  return size;
}

/** Streams have codes of their own. */
const isOfDisk = (error: unknown): boolean => !(error instanceof FarmError) && /^E[A-Z0-9]+$/.test(systemCode(error) ?? "");

async function drain(tar: Pack, file: FileHandle): Promise<number> {
  let size = 0;
  for await (const piece of tar as AsyncIterable<Uint8Array>) {
    await file.writeFile(piece);
    size += piece.byteLength;
  }
  return size;
}

function writerOf(tar: Pack, now: Date): ArchiveWriter {
  let chain = "";
  const begin = (name: string, size: number, digest: string): ReturnType<Pack["entry"]> => {
    chain = nextChain(chain, name, digest);
    const pax = { [DIGEST_RECORD]: digest, [CHAIN_RECORD]: chain };
    return tar.entry({ name, size, mode: 0o600, mtime: now, type: "file", pax });
  };
  return {
    async add(name, bytes) {
      await fillEntry(begin(name, bytes.byteLength, digestOf(bytes)), [bytes]);
    },
    async addStream(name, { size, digest, read }) {
      await fillEntry(begin(name, size, digest), read());
    },
  };
}

/** Waits whenever the other side has enough: an archive is never in memory. */
async function fillEntry(entry: ReturnType<Pack["entry"]>, pieces: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Promise<void> {
  const over = new AbortController();
  const closed = once(entry, "close", { signal: over.signal }).catch(() => undefined);
  try {
    for await (const piece of pieces) {
      if (!entry.write(piece)) await Promise.race([once(entry, "drain", { signal: over.signal }), closed]);
      if (entry.destroyed) throw new Error("the archive was ended");
    }
    entry.end(undefined);
    await closed;
  } catch (error) {
    entry.destroy(undefined);
    throw error;
  } finally {
    over.abort();
  }
}
