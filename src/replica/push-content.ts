import { FarmError, type Clock } from "../base/index.ts";
import type { Signing } from "../identity/index.ts";
import type { FileStat, FarmStore, Folder, Store } from "../store/index.ts";
import { folderOf, pointerKey, POINTER_PREFIX, readPointer, writePointer, type ContentPointer } from "./content-pointer.ts";
import { isConflict, isDamage } from "./error-kinds.ts";
import { requireAuthorship } from "./farm-statement.ts";
import { readManifest } from "./manifest-blob.ts";
import { encodeManifest, isSafeFolder, isSafePath, MAX_FILES } from "./manifest.ts";
import type { ManifestFile } from "./types.ts";

/** A folder whose files and manifest are in the store, and which nobody serves yet. */
export interface SentContent {
  readonly folder: string;
  /** Of the manifest's blob. */
  readonly digest: string;
  readonly files: number;
  readonly bytes: number;
}

/** How content is sent. */
export interface SendContent {
  /** What it is to be as `content/<folder>`. */
  readonly folder: string;
  readonly signal: AbortSignal;
  readonly onFile?: (done: number, total: number) => void;
}

const FILES_AT_ONCE = 4;
const PUBLISH_TRIES = 8;

/**
 * Puts a folder's files into the store as blobs, then their manifest. Repeating it sends what is missing or changed.
 * @throws CONTENT_UNPUBLISHABLE for a name that cannot be served, or no file at all @throws CONTENT_MOVED @throws the store's errors
 */
export async function sendContent(state: Store, source: Folder, { folder, signal, onFile }: SendContent): Promise<SentContent> {
  if (!isSafeFolder(folder)) throw unpublishable(folder, "its name cannot be that of a content folder");
  const found = await filesIn(source, folder, signal);
  const files: ManifestFile[] = [];
  const waiting = found.values();
  const worker = async (): Promise<void> => {
    for (const stat of waiting) {
      signal.throwIfAborted();
      files.push(await sendFile(state, source, { stat, signal }));
      onFile?.(files.length, found.length);
    }
  };
  await Promise.all(Array.from({ length: FILES_AT_ONCE }, worker));
  const manifest = encodeManifest({ folder, files });
  const digest = await state.putBlob(once(manifest));
  return { folder, digest, files: files.length, bytes: files.reduce((sum, { size }) => sum + size, 0) };
}

async function filesIn(source: Folder, folder: string, signal: AbortSignal): Promise<readonly FileStat[]> {
  const found: FileStat[] = [];
  for await (const stat of source.walk()) {
    signal.throwIfAborted();
    if (!isSafePath(stat.path)) throw unpublishable(folder, `${JSON.stringify(stat.path.slice(0, 200))} has a name that cannot be served`);
    if (found.length === MAX_FILES) throw unpublishable(folder, `it has more than ${MAX_FILES} files`);
    found.push(stat);
  }
  if (found.length === 0) throw unpublishable(folder, "there is no file in it");
  return found;
}

async function sendFile(
  state: Store,
  source: Folder,
  { stat, signal }: { readonly stat: FileStat; readonly signal: AbortSignal },
): Promise<ManifestFile> {
  const digest = await state.putBlob(source.open(stat.path, { signal }));
  const after = await source.stat(stat.path);
  if (after?.stamp !== stat.stamp)
    throw new FarmError("CONTENT_MOVED", `${stat.path} changed or went away while it was sent`, { facts: { path: stat.path } });
  const sha256 = digest.slice("sha256:".length);
  return { path: stat.path, size: stat.size, sha256, mtimeMs: Math.max(0, Math.floor(stat.mtimeMs)) };
}

const unpublishable = (folder: string, problem: string): FarmError =>
  new FarmError("CONTENT_UNPUBLISHABLE", `content/${folder}: ${problem}`, { facts: { folder } });

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/** What publishing works with. */
export interface PublishParts {
  readonly store: FarmStore;
  readonly clock: Clock;
  readonly signing?: Signing | undefined;
}

/**
 * Makes a sent manifest the folder's newest: from then on the folder is published by hand alone, whatever lies in `content/`.
 * @throws STORE_CORRUPT, STORE_UNAVAILABLE when the manifest is not what it should be @throws SIGNING_ROLE_WRONG
 */
export async function publishSent({ store, clock, signing }: PublishParts, folder: string, digest: string): Promise<ContentPointer> {
  const { state } = store;
  await requireAuthorship(state, signing);
  const { files } = await readManifest(state, folder, digest);
  const bytes = files.reduce((sum, { size }) => sum + size, 0);
  const pointer: ContentPointer = { digest, files: files.length, bytes, at: clock.now(), pushed: true };
  for (let tries = 1; ; tries += 1) {
    const before = await state.read(pointerKey(folder));
    try {
      await state.write(pointerKey(folder), writePointer(signing, folder, pointer), before?.rev);
      return pointer;
    } catch (error) {
      if (!isConflict(error) || tries === PUBLISH_TRIES) throw error;
    }
  }
}

/** One published folder; without a pointer nobody can believe what is there. */
export interface PublishedContent {
  readonly folder: string;
  readonly pointer?: ContentPointer;
  readonly problem?: string;
}

/** Everything that is published, by folder. @throws STORE_UNAVAILABLE */
export async function listContent({ store, signing }: PublishParts): Promise<readonly PublishedContent[]> {
  const entries = await store.state.list(POINTER_PREFIX);
  const found = entries.map((entry): PublishedContent => {
    const folder = folderOf(entry.key);
    try {
      const pointer = readPointer(signing, entry);
      return { folder, pointer, ...(pointer.problem === undefined ? {} : { problem: pointer.problem }) };
    } catch (error) {
      if (!isDamage(error) && !(error instanceof FarmError)) throw error;
      return { folder, problem: error instanceof FarmError ? error.message : "it is damaged" };
    }
  });
  return found.sort((one, other) => (one.folder < other.folder ? -1 : 1));
}
