import { createHash } from "node:crypto";

import { FarmError } from "../base/index.ts";
import type { FileStat, Folder } from "../store/index.ts";
import { isOutage } from "./error-kinds.ts";
import { isSafeFolder, isSafePath, MAX_FILES } from "./manifest.ts";
import { sha256 } from "./state-json.ts";
import type { ManifestFile } from "./types.ts";

/** One look at a folder below `content/`. */
export interface FolderLook {
  /** Regular files by path relative to the folder. */
  readonly files: ReadonlyMap<string, FileStat>;
  /** Equal for two looks that saw the same files with the same stamps. */
  readonly signature: string;
  /** Why it cannot be published as it is. */
  readonly problem?: string;
}

/** A file's digest and the stamp it had when it was read. */
export interface HashedFile {
  readonly stamp: string;
  readonly file: ManifestFile;
}

const HASHES_AT_ONCE = 4;

/** Looks at all of `content/` once. Throws STORE_UNAVAILABLE when any of it cannot be read: then nothing was seen. */
export async function scanContent(content: Folder, signal: AbortSignal): Promise<ReadonlyMap<string, FolderLook>> {
  const folders = new Map<string, Map<string, FileStat>>();
  const problems = new Map<string, string>();
  for await (const stat of content.walk()) {
    signal.throwIfAborted();
    const slash = stat.path.indexOf("/");
    const [folder, path] = [stat.path.slice(0, Math.max(slash, 0)), stat.path.slice(slash + 1)];
    if (!isSafeFolder(folder)) continue; // a file beside the folders, or a hidden folder of some tool
    const files = folders.get(folder) ?? new Map<string, FileStat>();
    folders.set(folder, files);
    if (!isSafePath(path)) problems.set(folder, `${JSON.stringify(path.slice(0, 200))} has a name that cannot be served`);
    else if (files.size < MAX_FILES) files.set(path, stat);
    else problems.set(folder, `it has more than ${MAX_FILES} files`);
  }
  return new Map([...folders].map(([folder, files]) => [folder, lookOf(files, problems.get(folder))]));
}

function lookOf(files: ReadonlyMap<string, FileStat>, problem: string | undefined): FolderLook {
  const hash = createHash("sha256");
  for (const path of [...files.keys()].sort()) hash.update(`${path}\0${files.get(path)?.stamp}\0`);
  return { files, signature: hash.digest("hex"), ...(problem === undefined ? {} : { problem }) };
}

/** The digests of a folder's files: those whose stamp is known are not read again. Throws what reading throws. */
export async function hashFolder(
  content: Folder,
  { folder, look, known }: { readonly folder: string; readonly look: FolderLook; readonly known: ReadonlyMap<string, HashedFile> },
  signal: AbortSignal,
): Promise<ReadonlyMap<string, HashedFile>> {
  const hashed = new Map<string, HashedFile>();
  const waiting = [...look.files.entries()].values();
  const worker = async (): Promise<void> => {
    for (const [path, stat] of waiting) {
      const before = known.get(path);
      hashed.set(
        path,
        before?.stamp === stat.stamp ? before : { stamp: stat.stamp, file: await hashFile(content, folder, { path, stat, signal }) },
      );
    }
  };
  await Promise.all(Array.from({ length: HASHES_AT_ONCE }, worker));
  return hashed;
}

async function hashFile(
  content: Folder,
  folder: string,
  { path, stat, signal }: { readonly path: string; readonly stat: FileStat; readonly signal: AbortSignal },
): Promise<ManifestFile> {
  const hash = createHash("sha256");
  let size = 0;
  for await (const chunk of openContent(content, `${folder}/${path}`, signal)) {
    hash.update(chunk);
    size += chunk.length;
  }
  if (size !== stat.size) throw moved(`${folder}/${path}`);
  return { path, size, sha256: hash.digest("hex"), mtimeMs: Math.max(0, Math.floor(stat.mtimeMs)) };
}

/** A content file's bytes. @throws CONTENT_MOVED when it is gone, as distinct from STORE_UNAVAILABLE */
export async function* openContent(content: Folder, path: string, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of content.open(path, { signal })) {
      signal.throwIfAborted();
      yield chunk;
    }
  } catch (error) {
    const isGone = isOutage(error) && (await content.stat(path)) === undefined;
    throw isGone ? moved(path) : error;
  }
}

const moved = (path: string): FarmError =>
  new FarmError("CONTENT_MOVED", `content/${path} changed or went away while it was read`, { facts: { path } });

/** The digest that the store gives a blob of these bytes. */
export const blobDigest = (bytes: Uint8Array): string => `sha256:${sha256(bytes)}`;
