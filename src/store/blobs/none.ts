import { FarmError } from "../../base/index.ts";
import type { Folder } from "../contract.ts";
import { folderPathParts } from "../key.ts";
import type { BlobPlace } from "./place.ts";

/** The place of a store that was given none: every blob is absent, and none is taken. */
export function noBlobs(store: string): BlobPlace {
  const none = (): FarmError =>
    new FarmError("STORE_UNAVAILABLE", `${store} was given no place for blobs; give --blobs DIR or --blobs s3://BUCKET/PREFIX`);
  return {
    location: "nowhere",
    put: () => Promise.reject(none()),
    // oxlint-disable-next-line require-yield -- there is nothing to yield
    async *get() {
      throw none();
    },
    has: () => Promise.resolve(false),
    async *list() {
      // there are none
    },
    remove: () => Promise.resolve(),
    close: () => Promise.resolve(),
  };
}

/** `content/` of a store that has no folder of it: always empty. Sites are published with `certfarm content push`. */
export function noContent(store: string): Folder {
  const refusal = (path: string): FarmError => {
    folderPathParts(path);
    return new FarmError("STORE_UNAVAILABLE", `${store} has no folder content; publish ${path} with \`certfarm content push\``);
  };
  const absent = async (path: string): Promise<undefined> => void folderPathParts(path);
  return {
    tellsAll: true,
    names: () => Promise.resolve([]),
    async *walk() {
      // there are none
    },
    stat: absent,
    read: absent,
    // oxlint-disable-next-line require-yield -- there is nothing to yield
    async *open(path) {
      throw refusal(path);
    },
    put: async (path) => Promise.reject(refusal(path)),
    remove: absent,
    async *watch({ signal }) {
      yield {};
      if (!signal.aborted) await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
    },
  };
}
