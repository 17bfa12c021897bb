import { createHash, randomUUID } from "node:crypto";
import { chmod, mkdir, open, readdir, readFile, rename, rm, stat, utimes } from "node:fs/promises";
import { dirname, join } from "node:path";

import { FarmError, systemCode } from "../base/index.ts";
import { syncFolder, writeFileAtomic } from "./atomic-file.ts";
import { isBlobDigest } from "./content-pointer.ts";
import { decodeManifest, isSafeFolder } from "./manifest.ts";
import { corrupt, sha256 } from "./state-json.ts";
import type { Manifest, ManifestFile } from "./types.ts";

/** A content folder on this node's own disk, whole and switched at once. */
export interface ContentTree {
  /** Of the manifest: `sha256:<64 hex>`. */
  readonly digest: string;
  /** Absolute path of the folder that holds exactly the files below. */
  readonly root: string;
  /** By relative path. */
  readonly files: ReadonlyMap<string, { readonly size: number; readonly sha256: string; readonly mtimeMs: number }>;
}

/** Where things lie below the node's data directory. */
export interface ContentDisk {
  readonly pool: string;
  readonly trees: string;
  readonly manifests: string;
  readonly current: string;
  readonly incoming: string;
}

/** The places below `<dataDir>/content/`. */
export function contentDisk(dataDir: string): ContentDisk {
  const at = (name: string): string => join(dataDir, "content", name);
  return { pool: at("pool"), trees: at("trees"), manifests: at("manifests"), current: at("current"), incoming: at("incoming") };
}

export const hexOf = (digest: string): string => digest.slice("sha256:".length);

/** Where a tree lies once it is whole. */
export const treeRoot = (disk: ContentDisk, folder: string, digest: string): string => join(disk.trees, folder, hexOf(digest));

/**
 * Name of a file in the pool. The time is part of it, since a file linked into a tree shares its time with the pool, and web servers
 * make Last-Modified and ETag of it: equal on every node.
 */
export const poolName = (file: ManifestFile): string => `${file.sha256.slice(0, 2)}/${file.sha256}-${file.mtimeMs}`;

/** Whether the pool holds the file already. */
export async function isPooled(disk: ContentDisk, file: ManifestFile): Promise<boolean> {
  try {
    return (await stat(join(disk.pool, poolName(file)))).size === file.size;
  } catch (error) {
    if (systemCode(error) === "ENOENT") return false;
    throw error;
  }
}

/**
 * Writes a stream into the pool under a file's name, if it is what the manifest says: the digest is checked while it is written.
 * @throws CONTENT_MOVED when it is not; nothing is left then
 */
export async function pourIntoPool(disk: ContentDisk, file: ManifestFile, source: AsyncIterable<Uint8Array>): Promise<void> {
  const temporary = join(disk.incoming, randomUUID());
  const target = join(disk.pool, poolName(file));
  await mkdir(disk.incoming, { recursive: true, mode: 0o700 });
  await mkdir(dirname(target), { recursive: true, mode: 0o700 });
  try {
    await writeChecked(temporary, file, source);
    await chmod(temporary, 0o444);
    await rename(temporary, target);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

async function writeChecked(path: string, file: ManifestFile, source: AsyncIterable<Uint8Array>): Promise<void> {
  const handle = await open(path, "wx", 0o600);
  try {
    const hash = createHash("sha256");
    let size = 0;
    for await (const chunk of source) {
      size += chunk.length;
      if (size > file.size) break;
      hash.update(chunk);
      await handle.writeFile(chunk);
    }
    if (size !== file.size || hash.digest("hex") !== file.sha256) {
      throw new FarmError("CONTENT_MOVED", `${file.path} is no longer what the manifest says`, { facts: { path: file.path } });
    }
    await handle.utimes(file.mtimeMs / 1000, file.mtimeMs / 1000);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Makes the directory entries of pooled files durable. */
export async function syncPool(disk: ContentDisk, files: readonly ManifestFile[]): Promise<void> {
  for (const part of new Set(files.map((file) => dirname(poolName(file))))) await syncFolder(join(disk.pool, part));
}

/** Points a folder at a tree by one rename. The manifest is kept beside it, for starts without the store. */
export async function switchTo(
  disk: ContentDisk,
  folder: string,
  { digest, manifest }: { digest: string; manifest: Uint8Array },
): Promise<void> {
  await writeFileAtomic(join(disk.manifests, folder, `${hexOf(digest)}.json`), manifest, 0o600);
  await writeFileAtomic(join(disk.current, folder), new TextEncoder().encode(`${digest}\n`), 0o600);
}

/** Names of folders that the disk has a current tree of. */
export async function currentFolders(disk: ContentDisk): Promise<readonly string[]> {
  return (await listing(disk.current)).filter(isSafeFolder);
}

/** The tree that was current when the node last ran. @throws STORE_CORRUPT when the disk does not hold what it should */
export async function loadTree(disk: ContentDisk, folder: string): Promise<ContentTree> {
  const pointer = join(disk.current, folder);
  const digest = (await readFile(pointer, "utf8")).trim();
  if (!isBlobDigest(digest)) throw corrupt(pointer, "it names no tree");
  const path = join(disk.manifests, folder, `${hexOf(digest)}.json`);
  const bytes = await readFile(path);
  if (sha256(bytes) !== hexOf(digest)) throw corrupt(path, "it does not have its digest");
  const root = treeRoot(disk, folder, digest);
  if (!(await stat(root)).isDirectory()) throw corrupt(root, "it is not a directory");
  return treeOf(decodeManifest(bytes, folder), digest, root);
}

export function treeOf(manifest: Manifest, digest: string, root: string): ContentTree {
  return { digest, root, files: new Map(manifest.files.map(({ path, size, sha256, mtimeMs }) => [path, { size, sha256, mtimeMs }])) };
}

/** Names in a directory; none when it is not there. */
export async function listing(path: string): Promise<readonly string[]> {
  try {
    return await readdir(path);
  } catch (error) {
    if (systemCode(error) === "ENOENT") return [];
    throw error;
  }
}

/** For copies where the file system has no hard links: the time must be the manifest's there too. */
export const setTime = (path: string, file: ManifestFile): Promise<void> => utimes(path, file.mtimeMs / 1000, file.mtimeMs / 1000);
