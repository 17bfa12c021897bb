import type { Store } from "../store/index.ts";
import { decodeManifest, MAX_MANIFEST_BYTES } from "./manifest.ts";
import { corrupt } from "./state-json.ts";
import type { Manifest } from "./types.ts";

/** A folder's manifest from its blob; the store checks the digest. @throws STORE_CORRUPT @throws STORE_UNAVAILABLE */
export async function readManifest(state: Store, folder: string, digest: string, signal?: AbortSignal): Promise<Manifest> {
  return decodeManifest(await readBlob(state, digest, signal), folder);
}

/** The bytes of a manifest's blob. @throws STORE_CORRUPT when it is larger than any manifest */
export async function readBlob(state: Store, digest: string, signal?: AbortSignal): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of state.getBlob(digest, signal === undefined ? {} : { signal })) {
    size += chunk.length;
    if (size > MAX_MANIFEST_BYTES) throw corrupt(`blob ${digest}`, "it is too large for a manifest");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
