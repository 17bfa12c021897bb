import { readFile, stat } from "node:fs/promises";

import { FarmError, Secret, systemCode, type Clock, type Log } from "../base/index.ts";
import type { FarmStore } from "./contract.ts";
import { openBlobs } from "./blobs/open-blobs.ts";
import { openDirectoryStore } from "./drivers/directory.ts";
import { openEtcdStore } from "./drivers/etcd.ts";
import { parseStorePlace } from "./store-place.ts";
import { requirePassword, type StoreSettings } from "./store-options.ts";

/** How a store of either kind is opened. */
export interface OpenOptions {
  readonly log: Log;
  readonly clock: Clock;
  /**
   * Whether to found a farm where none is; false unless told: an unmounted share looks like an empty directory, and a mistyped prefix like
   * an empty etcd.
   */
  readonly create?: boolean;
  /** Which farm must be there, or is to be founded; any unless told. */
  readonly farm?: string;
  /** How often to look for changes of files that no event tells of; 1000 ms unless told. */
  readonly pollMs?: number;
}

const MAX_FILE_BYTES = 1 << 20;

/**
 * Opens the farm's store, whatever it is kept in.
 * @throws STORE_URL_INVALID @throws STORE_FILE_UNUSABLE for a password, authority, certificate or key file
 * @throws STORE_UNAVAILABLE when it cannot be reached or holds no farm @throws STORE_OF_ANOTHER_FARM @throws STORE_NEWER
 * @throws STORE_REFUSED @throws STORE_UNTRUSTED
 */
export async function openStore(settings: StoreSettings, options: OpenOptions): Promise<FarmStore> {
  const place = parseStorePlace(settings.place);
  const { create = false, ...given } = options;
  const store =
    place.kind === "directory"
      ? await openDirectoryStore({ ...given, create, root: place.root })
      : await openEtcdStore({ ...given, create, url: place.url, ...(await access(settings, place.user)), ...blobsOf(settings) });
  if (place.kind === "etcd" || settings.blobs === undefined) return store;
  return withBlobs(store, settings.blobs, options);
}

/** Whether a folder of such a store tells every change: files on a disk change without anybody telling. */
export const tellsAll = (settings: StoreSettings, name: "certificates" | "content" | "config"): boolean =>
  parseStorePlace(settings.place).kind === "etcd" && name !== "content";

const blobsOf = ({ blobs }: StoreSettings): { readonly blobs?: string } => (blobs === undefined ? {} : { blobs });

/** A directory store whose blobs are elsewhere. */
async function withBlobs(store: FarmStore, place: string, options: OpenOptions): Promise<FarmStore> {
  const { state } = store;
  const opened = await openBlobs(place, { ...options, farm: await store.farmId() }).catch(async (error: unknown) => {
    await store.close();
    throw error;
  });
  const blobs = opened.place;
  const close = async (): Promise<void> => {
    await blobs.close();
    await store.close();
  };
  const own: FarmStore["state"] = {
    ...state,
    putBlob: (source) => blobs.put(source),
    getBlob: (digest, given) => blobs.get(digest, given),
    close,
  };
  return { ...store, state: own, close };
}

type Access = Pick<Parameters<typeof openEtcdStore>[0], "user" | "tls">;

/** What etcd is entered with, from the files that the settings name. @throws STORE_URL_INVALID @throws STORE_FILE_UNUSABLE */
export async function access(settings: StoreSettings, user: string | undefined): Promise<Access> {
  const { passwordFile, caFile, certFile, keyFile } = settings;
  requirePassword(settings.place, user, passwordFile);
  const [password, ca, cert, key] = await Promise.all([passwordFile, caFile, certFile, keyFile].map(readText));
  const tls = { ...(ca === undefined ? {} : { ca }), ...(cert === undefined ? {} : { cert }) };
  return {
    ...(user === undefined || password === undefined ? {} : { user: { name: user, password: new Secret(firstLine(password)) } }),
    tls: key === undefined ? tls : { ...tls, key: new Secret(key) },
  };
}

const firstLine = (text: string): string => text.split(/\r?\n/, 1)[0] ?? "";

async function readText(path: string | undefined): Promise<string | undefined> {
  if (path === undefined) return undefined;
  try {
    const { size } = await stat(path);
    if (size > 0 && size <= MAX_FILE_BYTES) return await readFile(path, "utf8");
    throw new FarmError("STORE_FILE_UNUSABLE", `${path} is ${size === 0 ? "empty" : "too large"}`, { facts: { file: path } });
  } catch (error) {
    if (error instanceof FarmError) throw error;
    const problem = systemCode(error) ?? "unknown";
    throw new FarmError("STORE_FILE_UNUSABLE", `${path} cannot be read: ${problem}`, { cause: error, facts: { file: path } });
  }
}
