import type { BlobPlace } from "../blobs/place.ts";
import type { FarmStore } from "../contract.ts";

/** A store as a copy, a backup or a restore sees it: values as they are stored, sealed ones sealed. */
export interface TransferEnd {
  readonly store: FarmStore;
  readonly blobs: BlobPlace;
  /** The directory that has its `content/`; undefined = none has, sites are published from elsewhere. */
  readonly content: string | undefined;
  /** Whether it takes this certificate file or state key as it is: etcd takes secrets sealed only. Everything unless told. */
  readonly takes?: (name: string, bytes: Uint8Array) => boolean;
}

/** A folder of a store. */
export type FolderName = Parameters<FarmStore["folder"]>[0];

/** The folders that are carried from one to the other. */
export const foldersBetween = (from: TransferEnd, to: TransferEnd): readonly FolderName[] =>
  from.content !== undefined && to.content !== undefined && from.content !== to.content
    ? ["config", "certificates", "content"]
    : ["config", "certificates"];

/** Whether a folder has no sub-folders. */
export const isFlat = (name: FolderName): boolean => name === "certificates";
