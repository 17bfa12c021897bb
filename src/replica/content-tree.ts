import { constants } from "node:fs";
import { copyFile, link, mkdir, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";

import { systemCode } from "../base/index.ts";
import { syncFolder } from "./atomic-file.ts";
import { hexOf, poolName, setTime, treeRoot, type ContentDisk } from "./content-disk.ts";
import type { Manifest, ManifestFile } from "./types.ts";

/** Refusals of a hard link after which a copy may still work. */
const NO_LINKS = new Set(["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK", "EXDEV"]);
const LINKS_AT_ONCE = 16;

/**
 * Builds `trees/<folder>/<digest>/` out of the pool: whole and durable under another name first, then one rename. A tree that is there
 * already is whole. Throws system errors.
 */
export async function buildTree(disk: ContentDisk, digest: string, manifest: Manifest): Promise<string> {
  const root = treeRoot(disk, manifest.folder, digest);
  if (await isThere(root)) return root;
  const partial = join(disk.trees, manifest.folder, `.partial-${hexOf(digest)}`);
  await rm(partial, { recursive: true, force: true });
  const folders = foldersOf(manifest, partial);
  for (const folder of folders) await mkdir(folder, { recursive: true, mode: 0o700 });
  await linkAll(disk, manifest, partial);
  for (const folder of folders) await syncFolder(folder);
  await rename(partial, root);
  await syncFolder(dirname(root));
  return root;
}

/** Every directory of a tree, parents first. */
function foldersOf(manifest: Manifest, root: string): readonly string[] {
  const folders = new Set([root]);
  for (const { path } of manifest.files) {
    for (let slash = path.indexOf("/"); slash > 0; slash = path.indexOf("/", slash + 1)) folders.add(join(root, path.slice(0, slash)));
  }
  return [...folders];
}

async function linkAll(disk: ContentDisk, manifest: Manifest, root: string): Promise<void> {
  const waiting = manifest.files.values();
  const worker = async (): Promise<void> => {
    for (const file of waiting) await linkFile(join(disk.pool, poolName(file)), join(root, file.path), file);
  };
  await Promise.all(Array.from({ length: LINKS_AT_ONCE }, worker));
}

async function linkFile(pooled: string, path: string, file: ManifestFile): Promise<void> {
  try {
    await link(pooled, path);
  } catch (error) {
    if (!NO_LINKS.has(systemCode(error) ?? "")) throw error;
    await copyFile(pooled, path, constants.COPYFILE_FICLONE);
    await setTime(path, file);
  }
}

async function isThere(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (systemCode(error) === "ENOENT") return false;
    throw error;
  }
}
