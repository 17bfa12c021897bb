import { mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";

import type { Clock, Log } from "../../base/index.ts";
import type { FarmStore, Folder } from "../contract.ts";
import { diskError } from "./directory/disk.ts";
import { openFarmMarker } from "./directory/farm-id.ts";
import { createDirectoryFolder } from "./directory/folder.ts";
import { createGate } from "./directory/gate.ts";
import { createDirectoryState, probeLinks } from "./directory/state.ts";

/** How to open a directory store. */
export interface DirectoryStoreOptions {
  /** The directory, also on an SMB or NFS share. */
  readonly root: string;
  readonly log: Log;
  readonly clock: Clock;
  /** How often to look for changes that no event tells of; 1000 unless told. */
  readonly pollMs?: number;
  /**
   * Whether to make a store where none is (default). Members of a farm that exists should say false: an unmounted share looks like
   * an empty directory, and a new farm must not be founded in its mount point.
   */
  readonly create?: boolean;
  /** The farm that must be there, or is founded; any unless told. */
  readonly farm?: string;
  /** Whether to use hard links; found out by trying unless told. */
  readonly hardLinks?: boolean;
}

/**
 * A farm's store in a directory: `certificates/ config/ content/` for people, `state/` for versioned keys (docs/store.md).
 * @throws STORE_UNAVAILABLE when the directory is no store and none may be made, or cannot be read and written
 */
export async function openDirectoryStore(options: DirectoryStoreOptions): Promise<FarmStore> {
  const { log, clock, pollMs = 1000, create = true } = options;
  const root = resolve(options.root);
  const gate = createGate();
  const marker = await gate.run(`opening ${root}`, () => openFarmMarker(root, { create, farm: options.farm, clock }));
  const hasLinks = options.hardLinks ?? (await gate.run(`opening ${root}`, () => tryLinks(root)));
  if (!hasLinks) log.info("the store's file system makes no hard links; versions are written in place", { root });
  const closing = new AbortController();
  const shared = { gate, marker, clock, log, pollMs, closed: closing.signal };
  const state = createDirectoryState({ ...shared, root, hasLinks });
  const folders: Record<"certificates" | "config" | "content", Folder> = {
    certificates: createDirectoryFolder({ ...shared, path: join(root, "certificates"), isDeep: false, fileMode: 0o600 }),
    config: createDirectoryFolder({ ...shared, path: join(root, "config"), isDeep: true, fileMode: 0o666 }),
    content: createDirectoryFolder({ ...shared, path: join(root, "content"), isDeep: true, fileMode: 0o666 }),
  };
  const close = async (): Promise<void> => {
    await state.close();
    closing.abort();
    gate.close();
  };
  return { state: { ...state, close }, folder: (name) => folders[name], farmId: () => Promise.resolve(marker.id), location: root, close };
}

async function tryLinks(root: string): Promise<boolean> {
  try {
    for (const name of ["keys", "tmp", "notify", "blobs"]) await mkdir(join(root, "state", name), { mode: 0o700, recursive: true });
    return await probeLinks(join(root, "state", "tmp"));
  } catch (error) {
    throw diskError(error, `opening ${root}`);
  }
}
