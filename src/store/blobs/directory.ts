import { readdir, stat, unlink } from "node:fs/promises";
import { join } from "node:path";

import { FarmError, toFarmError, type Clock, type Log } from "../../base/index.ts";
import type { Folder } from "../contract.ts";
import { getBlob, putBlob } from "../drivers/directory/blobs.ts";
import { diskError, isAbsent } from "../drivers/directory/disk.ts";
import { createDirectoryFolder } from "../drivers/directory/folder.ts";
import { createGate } from "../drivers/directory/gate.ts";
import { laterMarker } from "../drivers/directory/later-marker.ts";
import { startSweeping } from "../drivers/directory/sweep.ts";
import { digestHex } from "../key.ts";
import type { BlobPlace } from "./place.ts";

/** How a place for blobs is opened. */
export interface BlobsOptions {
  /** Whose blobs: another farm's directory is refused. */
  readonly farm: string;
  readonly create?: boolean;
  readonly clock: Clock;
  readonly log: Log;
  readonly pollMs?: number;
}

/** Blobs, and the folder of web content beside them where the place has one. */
export interface OpenedBlobs {
  readonly place: BlobPlace;
  readonly content?: Folder;
}

/**
 * Blobs and `content/` in a directory of the form of a directory store. It need not be there: calls throw STORE_UNAVAILABLE until it is.
 * @throws STORE_OF_ANOTHER_FARM @throws STORE_UNAVAILABLE when it is to be made and cannot
 */
export async function openBlobDirectory(root: string, options: BlobsOptions): Promise<OpenedBlobs> {
  const { farm, create = false, clock, log, pollMs = 1000 } = options;
  const gate = createGate();
  const closing = new AbortController();
  const marker = laterMarker(root, { create, farm, clock });
  const state = join(root, "state");
  const parts = { blobs: join(state, "blobs"), temp: join(state, "tmp"), gate };
  const shared = { gate, marker, clock, log, pollMs, closed: closing.signal };
  const close = async (): Promise<void> => {
    sweeping?.close();
    closing.abort();
    gate.close();
  };
  let sweeping: ReturnType<typeof startSweeping> | undefined;
  try {
    await gate.run(`opening ${root}`, () => marker.require());
    sweeping = startSweeping({ keys: join(state, "keys"), temp: parts.temp, hasLinks: true, gate }, log);
  } catch (error) {
    if (create || !isAway(error)) {
      await close();
      throw error;
    }
    log.warn("the place for blobs is not there", { place: root, problem: toFarmError(error).message });
  }
  const guarded = async <T>(doing: string, work: () => Promise<T>): Promise<T> => {
    try {
      return await gate.run(doing, async () => {
        await marker.require();
        return work();
      });
    } catch (error) {
      throw diskError(error, doing);
    }
  };
  const pathOf = (digest: string): string => {
    const hex = digestHex(digest);
    return join(parts.blobs, hex.slice(0, 2), hex);
  };
  const place: BlobPlace = {
    location: root,
    async put(source) {
      await guarded(`writing to ${root}`, () => Promise.resolve());
      return putBlob(parts, source);
    },
    get: (digest, given) => getBlob(parts, digest, given?.signal),
    has: async (digest) => (await guarded(`looking into ${root}`, () => sizeOf(pathOf(digest)))) !== undefined,
    list: () => listBlobs(parts.blobs, guarded),
    async remove(digest) {
      const path = pathOf(digest);
      await guarded(`removing ${path}`, () => unlink(path).catch(ignoreAbsent));
    },
    close,
  };
  return { place, content: createDirectoryFolder({ ...shared, path: join(root, "content"), isDeep: true, fileMode: 0o666 }) };
}

type Guarded = <T>(doing: string, work: () => Promise<T>) => Promise<T>;

const BLOB = /^[0-9a-f]{64}$/;

async function* listBlobs(blobs: string, guarded: Guarded): AsyncGenerator<{ readonly digest: string; readonly size: number }> {
  for (const shelf of await guarded(`listing ${blobs}`, () => readdir(blobs))) {
    if (!/^[0-9a-f]{2}$/.test(shelf)) continue;
    for (const hex of await guarded(`listing ${blobs}`, () => readdir(join(blobs, shelf)))) {
      const size = BLOB.test(hex) ? await guarded(`listing ${blobs}`, () => sizeOf(join(blobs, shelf, hex))) : undefined;
      if (size !== undefined) yield { digest: `sha256:${hex}`, size };
    }
  }
}

async function sizeOf(path: string): Promise<number | undefined> {
  return (await stat(path).catch(ignoreAbsent))?.size;
}

function ignoreAbsent(error: unknown): undefined {
  if (isAbsent(error)) return undefined;
  throw error;
}

const isAway = (error: unknown): boolean => error instanceof FarmError && error.code === "STORE_UNAVAILABLE";
