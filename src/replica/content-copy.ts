import type { Log } from "../base/index.ts";
import type { FarmStore } from "../store/index.ts";
import { isPooled, pourIntoPool, switchTo, syncPool, treeOf, type ContentDisk, type ContentTree } from "./content-disk.ts";
import { openContent } from "./content-scan.ts";
import { buildTree } from "./content-tree.ts";
import { readBlob } from "./manifest-blob.ts";
import { decodeManifest } from "./manifest.ts";
import type { Manifest, ManifestFile } from "./types.ts";

/** From where to where content is copied. */
export interface ContentCopy {
  readonly store: FarmStore;
  readonly disk: ContentDisk;
  readonly log: Log;
}

const FILES_AT_ONCE = 6;

/**
 * Brings a folder to the manifest of this digest: what the pool lacks is copied and checked, the tree is built whole, then one rename
 * makes it current. A crash or a failure at any step leaves the former tree current.
 * @throws CONTENT_MOVED when a file is no longer what the manifest says @throws STORE_CORRUPT @throws STORE_UNAVAILABLE; system errors
 */
export async function copyFolder(
  copy: ContentCopy,
  { folder, digest, pushed = false }: { folder: string; digest: string; pushed?: boolean },
  signal: AbortSignal,
): Promise<ContentTree> {
  const { disk, log } = copy;
  const bytes = await readBlob(copy.store.state, digest, signal);
  const manifest = decodeManifest(bytes, folder);
  const copied = await fetchFiles(copy, { ...manifest, pushed }, signal);
  signal.throwIfAborted();
  log.debug("content step", { step: "pooled", folder });
  const root = await buildTree(disk, digest, manifest);
  log.debug("content step", { step: "built", folder });
  await switchTo(disk, folder, { digest, manifest: bytes });
  log.debug("content step", { step: "switched", folder });
  log.info("content is switched", { folder, digest, files: manifest.files.length, copied });
  return treeOf(manifest, digest, root);
}

/** Brings into the pool what it lacks; the first failure stops the others. Returns the number of files that were copied. */
async function fetchFiles(
  { store, disk, log }: ContentCopy,
  { folder, files, pushed }: Manifest & { readonly pushed: boolean },
  signal: AbortSignal,
): Promise<number> {
  const content = store.folder("content");
  const open = (file: ManifestFile, stop: AbortSignal): AsyncIterable<Uint8Array> =>
    pushed ? store.state.getBlob(`sha256:${file.sha256}`, { signal: stop }) : openContent(content, `${folder}/${file.path}`, stop);
  const copied: ManifestFile[] = [];
  const failed = new AbortController();
  const until = AbortSignal.any([signal, failed.signal]);
  const waiting = files.values();
  const worker = async (): Promise<void> => {
    for (const file of waiting) {
      until.throwIfAborted();
      if (await isPooled(disk, file)) continue;
      await pourIntoPool(disk, file, open(file, until));
      copied.push(file);
      log.debug("content step", { step: "copied", folder, path: file.path });
    }
  };
  const workers = Array.from({ length: FILES_AT_ONCE }, worker);
  try {
    await Promise.all(workers);
  } finally {
    failed.abort();
    await Promise.allSettled(workers);
  }
  await syncPool(disk, copied);
  return copied.length;
}
