import type { FileHandle } from "node:fs/promises";

import type { Gate } from "./gate.ts";

/** Octets of one piece of work. */
const CHUNK = 256 * 1024;
/** Flushed this often, so that no single flush takes as long as a large file. */
const SYNC_EVERY = 8 * 1024 * 1024;

/** An open file that is written or read in pieces, each with the gate's deadline: a large file on a slow share is late nowhere. */
export interface BulkFile {
  readonly file: FileHandle;
  readonly gate: Gate;
  /** For messages: "writing /farm/content/a.iso". */
  readonly doing: string;
}

/** Appends octets in pieces. `written` = octets before; gives octets after. */
export async function append(bulk: BulkFile, bytes: Uint8Array, written: number): Promise<number> {
  let length = written;
  for (let at = 0; at < bytes.byteLength; at += CHUNK) {
    const piece = bytes.subarray(at, at + CHUNK);
    await bulk.gate.run(bulk.doing, () => bulk.file.writeFile(piece));
    const before = length;
    length += piece.byteLength;
    if (Math.floor(before / SYNC_EVERY) !== Math.floor(length / SYNC_EVERY)) await flush(bulk);
  }
  return length;
}

/** Flushes what was written. */
export const flush = (bulk: BulkFile): Promise<void> => bulk.gate.run(bulk.doing, () => bulk.file.sync());

/** Fills a buffer from the start of the file; false when the file ends before. */
export async function fillFrom(bulk: BulkFile, buffer: Uint8Array): Promise<boolean> {
  let length = 0;
  while (length < buffer.byteLength) {
    const want = Math.min(CHUNK, buffer.byteLength - length);
    const { bytesRead } = await bulk.gate.run(bulk.doing, () => bulk.file.read(buffer, length, want, length));
    if (bytesRead === 0) return false;
    length += bytesRead;
  }
  return true;
}

/** The next piece of the file; undefined at its end. */
export async function nextPiece(bulk: BulkFile): Promise<Uint8Array | undefined> {
  const buffer = new Uint8Array(CHUNK);
  const { bytesRead } = await bulk.gate.run(bulk.doing, () => bulk.file.read(buffer, 0, CHUNK));
  return bytesRead === 0 ? undefined : buffer.subarray(0, bytesRead);
}
