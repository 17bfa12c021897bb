import { openBlobs } from "../blobs/open-blobs.ts";
import { noBlobs } from "../blobs/none.ts";
import { openStore, type OpenOptions } from "../open-store.ts";
import type { StoreSettings } from "../store-options.ts";
import { parseStorePlace } from "../store-place.ts";
import type { TransferEnd } from "./end.ts";

/** An end that its opener closes. */
export type OpenedEnd = TransferEnd & { close(): Promise<void> };

/** Opens a store with its blobs for a copy, a backup or a restore. @throws as openStore */
export async function openTransferEnd(settings: StoreSettings, options: OpenOptions): Promise<OpenedEnd> {
  const place = parseStorePlace(settings.place);
  const store = await openStore(settings, options);
  try {
    const root = place.kind === "directory" ? place.root : undefined;
    const where = settings.blobs ?? root;
    const farm = await store.farmId();
    const blobs = where === undefined ? noBlobs(store.location) : (await openBlobs(where, { ...options, farm })).place;
    const close = async (): Promise<void> => {
      await blobs.close();
      await store.close();
    };
    return { store, blobs, content: root ?? (where?.startsWith("s3:") === true ? undefined : where), close };
  } catch (error) {
    await store.close();
    throw error;
  }
}
