import { createHash, type Hash } from "node:crypto";
import { mkdir, open, stat, unlink, type FileHandle } from "node:fs/promises";
import { join } from "node:path";

import { FarmError, systemCode } from "../../../base/index.ts";
import { digestHex } from "../../key.ts";
import { append, flush, nextPiece } from "./bulk.ts";
import { diskError, renameOver, syncDirectory, tempName } from "./disk.ts";
import type { Gate } from "./gate.ts";

/** Where blobs are. */
export interface BlobPlace {
  /** `state/blobs` */
  readonly blobs: string;
  readonly temp: string;
  readonly gate: Gate;
}

const directoryOf = (place: BlobPlace, hex: string): string => join(place.blobs, hex.slice(0, 2));

/**
 * Writes to a temporary file and publishes it under its digest when all of it is flushed. A blob that is there already is replaced
 * by the same bytes, which also heals a damaged one. What the source throws is thrown on.
 */
export async function putBlob(place: BlobPlace, source: AsyncIterable<Uint8Array>): Promise<string> {
  const temp = join(place.temp, tempName());
  try {
    const { hex, size } = await writeTemp(place, temp, source);
    const doing = `writing blob ${hex}`;
    await onDisk(doing, () => place.gate.run(doing, () => publish(place, temp, { hex, size })));
    return `sha256:${hex}`;
  } catch (error) {
    await unlink(temp).catch(() => undefined);
    throw error;
  }
}

async function onDisk<T>(doing: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw diskError(error, doing);
  }
}

async function writeTemp(
  place: BlobPlace,
  temp: string,
  source: AsyncIterable<Uint8Array>,
): Promise<{ readonly hex: string; readonly size: number }> {
  const hash = createHash("sha256");
  let size = 0;
  const doing = `writing ${temp}`;
  const file = await onDisk(doing, () => place.gate.run(doing, () => open(temp, "wx", 0o600)));
  const bulk = { file, gate: place.gate, doing };
  try {
    for await (const chunk of source) {
      hash.update(chunk);
      const written = size;
      size = await onDisk(doing, () => append(bulk, chunk, written));
    }
    await onDisk(doing, () => flush(bulk));
  } finally {
    await file.close();
  }
  return { hex: hash.digest("hex"), size };
}

async function publish(place: BlobPlace, temp: string, blob: { readonly hex: string; readonly size: number }): Promise<void> {
  const directory = directoryOf(place, blob.hex);
  const target = join(directory, blob.hex);
  if (await makeDirectory(directory)) await syncDirectory(place.blobs);
  try {
    await renameOver(temp, target);
  } catch (error) {
    // SMB refuses to replace a file that somebody reads; the same bytes are there.
    const there = await stat(target).catch(() => undefined);
    if (there?.size !== blob.size) throw error;
    await unlink(temp);
  }
  await syncDirectory(directory);
}

async function makeDirectory(directory: string): Promise<boolean> {
  try {
    await mkdir(directory, 0o700);
    return true;
  } catch (error) {
    if (systemCode(error) === "EEXIST") return false;
    throw error;
  }
}

/**
 * Streams a blob and checks its digest on the way. The last chunk is held back until the digest is right, so that nobody takes a
 * damaged blob for whole. @throws STORE_UNAVAILABLE when it is absent, STORE_CORRUPT when it is not what its name says
 */
export async function* getBlob(place: BlobPlace, digest: string, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
  const hex = digestHex(digest);
  const path = join(directoryOf(place, hex), hex);
  const file = await onDisk(`reading ${path}`, () => place.gate.run(`reading ${path}`, () => openBlob(path)));
  try {
    yield* checkedChunks(place, { file, path, hex }, signal);
  } finally {
    await file.close();
  }
}

async function openBlob(path: string): Promise<FileHandle> {
  try {
    return await open(path, "r");
  } catch (error) {
    if (systemCode(error) === "ENOENT") throw new FarmError("STORE_UNAVAILABLE", `there is no blob ${path}`, { facts: { file: path } });
    throw error;
  }
}

async function* checkedChunks(
  place: BlobPlace,
  blob: { readonly file: FileHandle; readonly path: string; readonly hex: string },
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  const { file, path, hex } = blob;
  const bulk = { file, gate: place.gate, doing: `reading ${path}` };
  const hash: Hash = createHash("sha256");
  let held: Uint8Array | undefined;
  for (;;) {
    if (signal?.aborted === true) throw new FarmError("CANCELLED", `reading ${path} was cancelled`);
    const chunk = await onDisk(bulk.doing, () => nextPiece(bulk));
    if (chunk === undefined) break;
    hash.update(chunk);
    if (held !== undefined) yield held;
    held = chunk;
  }
  const found = hash.digest("hex");
  if (found !== hex) throw new FarmError("STORE_CORRUPT", `${path} does not match its digest`, { facts: { file: path, found } });
  if (held !== undefined) yield held;
}
