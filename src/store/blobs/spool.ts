import { createHash, randomUUID } from "node:crypto";
import { open, unlink, type FileHandle } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { FarmError, systemCode } from "../../base/index.ts";

/** Octets whose length and digest are known before anybody sends them. */
export interface Spooled {
  readonly hex: string;
  readonly size: number;
  /** All in memory; undefined = they lie in a temporary file. */
  readonly bytes: Uint8Array | undefined;
  /** From the start, as often as it is asked for. */
  read(): AsyncIterable<Uint8Array>;
  /** Gives the temporary file back. */
  close(): Promise<void>;
}

const PIECE = 256 * 1024;

/**
 * Reads a source to its end: into memory up to `inMemory` octets, beyond that into a temporary file without a name, which cannot outlive
 * this process. What the source throws is thrown on. @throws STORE_UNAVAILABLE when the machine's folder for temporary files takes nothing
 */
export async function spool(source: AsyncIterable<Uint8Array>, inMemory: number): Promise<Spooled> {
  const hash = createHash("sha256");
  const parts: Uint8Array[] = [];
  let size = 0;
  let file: FileHandle | undefined;
  try {
    for await (const piece of source) {
      hash.update(piece);
      size += piece.byteLength;
      if (file === undefined && size <= inMemory) {
        parts.push(piece);
        continue;
      }
      file ??= await openNameless();
      await writeAll(file, [...parts.splice(0), piece]);
    }
  } catch (error) {
    await file?.close();
    throw error;
  }
  const hex = hash.digest("hex");
  const held = file;
  if (held !== undefined) return { hex, size, bytes: undefined, read: () => readFrom(held), close: () => held.close() };
  const bytes = Buffer.concat(parts);
  return { hex, size, bytes, read: () => once(bytes), close: () => Promise.resolve() };
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  if (bytes.byteLength > 0) yield bytes;
}

async function openNameless(): Promise<FileHandle> {
  const path = join(tmpdir(), `certfarm-${randomUUID()}`);
  try {
    const file = await open(path, "wx+", 0o600);
    await unlink(path);
    return file;
  } catch (error) {
    throw notTaken(error);
  }
}

async function writeAll(file: FileHandle, parts: readonly Uint8Array[]): Promise<void> {
  try {
    for (const part of parts) await file.writeFile(part);
  } catch (error) {
    throw notTaken(error);
  }
}

const notTaken = (error: unknown): FarmError =>
  new FarmError(
    "STORE_UNAVAILABLE",
    `${tmpdir()} takes no temporary file (${systemCode(error) ?? "unknown"}); set TMPDIR to a folder with room`,
    {
      cause: error,
    },
  );

async function* readFrom(file: FileHandle): AsyncGenerator<Uint8Array> {
  for (let at = 0; ;) {
    const { bytesRead, buffer } = await file.read(new Uint8Array(PIECE), 0, PIECE, at);
    if (bytesRead === 0) return;
    at += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}
