import { FarmError, toFarmError, type Clock, type Log } from "../base/index.ts";
import type { Signing } from "../identity/index.ts";
import type { FarmStore, Rev } from "../store/index.ts";
import { folderOf, pointerKey, POINTER_PREFIX, readPointer, writePointer, type ContentPointer } from "./content-pointer.ts";
import { blobDigest, hashFolder, scanContent, type FolderLook, type HashedFile } from "./content-scan.ts";
import { isDamage } from "./error-kinds.ts";
import { pause } from "./follow.ts";
import { createPatience, type DutyPass } from "./duty-pass.ts";
import { readManifest } from "./manifest-blob.ts";
import { encodeManifest } from "./manifest.ts";
import type { Manifest } from "./types.ts";

interface ContentDuty {
  readonly store: FarmStore;
  readonly clock: Clock;
  readonly log: Log;
  /** Absent = a farm without identities. */
  readonly signing?: Signing | undefined;
  /** Between two looks that must agree: a copy in progress shows within it. */
  readonly settleMs: number;
  /** Problems that the log was told, by folder. */
  readonly told: Map<string, string>;
}

/** What this process knows of a folder since it took the duty. */
interface Known {
  /** Of the look that was published last. */
  readonly signature: string;
  readonly hashed: ReadonlyMap<string, HashedFile>;
}

interface Published {
  /** undefined = the pointer is damaged, or nobody who may has signed it, and it is written anew. */
  readonly pointer: ContentPointer | undefined;
  readonly rev: Rev;
}

type Looks = ReadonlyMap<string, FolderLook>;

/**
 * One pass publishes the manifest of every folder below `content/` that changed and has settled. A folder that cannot be read is never
 * told as empty (the look throws), and one without any file keeps its last manifest, with the problem noted beside it.
 */
export function createContentDuty(settings: Omit<ContentDuty, "told">): DutyPass {
  const duty: ContentDuty = { ...settings, told: new Map() };
  const { store } = duty;
  const content = store.folder("content");
  const known = new Map<string, Known>();
  const patience = createPatience(duty.clock, duty.settleMs);

  async function publishFolder(folder: string, look: FolderLook, signal: AbortSignal): Promise<void> {
    const before = await readPublished(duty, folder);
    if (before?.pointer?.pushed === true) return void known.set(folder, { signature: look.signature, hashed: new Map() });
    if (look.problem !== undefined) return noteProblem(duty, folder, { before, problem: look.problem });
    const hashed = await hashSettled(folder, look, signal);
    if (hashed === undefined) return;
    const again = (await scanContent(content, signal)).get(folder);
    // Files already read need not be read again, whatever becomes of this manifest.
    known.set(folder, { signature: "", hashed });
    if (again?.signature !== look.signature) return;
    await publish(duty, await manifestOf(duty, { folder, hashed, before }), before);
    known.set(folder, { signature: look.signature, hashed });
  }

  /** undefined = a file changed meanwhile: the folder has not settled. */
  async function hashSettled(folder: string, look: FolderLook, signal: AbortSignal): Promise<ReadonlyMap<string, HashedFile> | undefined> {
    try {
      return await hashFolder(content, { folder, look, known: known.get(folder)?.hashed ?? new Map() }, signal);
    } catch (error) {
      if (error instanceof FarmError && error.code === "CONTENT_MOVED") return undefined;
      throw error;
    }
  }

  const isSettled = (folder: string, look: FolderLook): boolean =>
    known.get(folder)?.signature === look.signature || look.problem !== undefined;

  /** Publishes what two looks agree on. One folder that cannot be published does not keep the others back. */
  async function publishSettled(due: readonly (readonly [string, FolderLook])[], signal: AbortSignal): Promise<void> {
    const second = await scanContent(content, signal);
    const failures: unknown[] = [];
    for (const [folder, look] of due) {
      signal.throwIfAborted();
      if (second.get(folder)?.signature !== look.signature) continue;
      await publishFolder(folder, look, signal).catch((error: unknown) => failures.push(error));
    }
    if (failures.length > 0) throw failures[0];
  }

  return async (signal) => {
    const first = await scanContent(content, signal);
    for (const folder of known.keys()) if (!first.has(folder)) known.delete(folder);
    await noteEmptied(duty, first);
    const changed = [...first].filter(([folder, look]) => known.get(folder)?.signature !== look.signature);
    const due = changed.filter(([folder]) => patience.isDue(folder));
    if (due.length > 0) {
      await pause(duty.settleMs, signal);
      await publishSettled(due, signal);
      for (const [folder, look] of due) patience.tell(folder, isSettled(folder, look));
    }
    return patience.next(changed.filter(([folder, look]) => !isSettled(folder, look)).map(([folder]) => folder));
  };
}

/** A touched file keeps the time it was published with: clients' caches of it stay good. */
async function manifestOf(
  { store, log }: ContentDuty,
  { folder, hashed, before }: { readonly folder: string; readonly hashed: Known["hashed"]; readonly before: Published | undefined },
): Promise<Manifest> {
  const times = new Map<string, number>();
  try {
    const former = before?.pointer === undefined ? undefined : await readManifest(store.state, folder, before.pointer.digest);
    for (const file of former?.files ?? []) times.set(`${file.sha256} ${file.path}`, file.mtimeMs);
  } catch (error) {
    log.warn("the former manifest cannot be read; a new one is made", { folder, problem: toFarmError(error).message });
  }
  const files = [...hashed.values()].map(({ file }) => ({ ...file, mtimeMs: times.get(`${file.sha256} ${file.path}`) ?? file.mtimeMs }));
  return { folder, files };
}

async function publish(
  { store, clock, log, signing, told }: ContentDuty,
  manifest: Manifest,
  before: Published | undefined,
): Promise<void> {
  told.delete(manifest.folder);
  const bytes = encodeManifest(manifest);
  const unchanged = before?.pointer?.digest === blobDigest(bytes);
  if (unchanged && before.pointer.problem === undefined) return;
  const digest = unchanged ? blobDigest(bytes) : await store.state.putBlob(oneChunk(bytes));
  const { folder, files } = manifest;
  const pointer = { digest, files: files.length, bytes: files.reduce((sum, { size }) => sum + size, 0), at: clock.now() };
  await store.state.write(pointerKey(folder), writePointer(signing, folder, pointer), before?.rev);
  log.info("content is published", { folder, digest, files: pointer.files, bytes: pointer.bytes });
}

/** Folders that are published and now hold no file at all: gone, emptied, or a share that is not mounted; nobody can tell which. */
async function noteEmptied(duty: ContentDuty, looks: Looks): Promise<void> {
  for (const { key } of await duty.store.state.list(POINTER_PREFIX)) {
    const folder = folderOf(key);
    if (looks.has(folder)) continue;
    const before = await readPublished(duty, folder);
    if (before?.pointer?.pushed === true) continue;
    const problem = `content/${folder} is gone from the store or has no files; nodes go on with what was published last`;
    await noteProblem(duty, folder, { before, problem });
  }
}

async function noteProblem(
  { store, log, signing, told }: ContentDuty,
  folder: string,
  { before, problem }: { readonly before: Published | undefined; readonly problem: string },
): Promise<void> {
  if (told.get(folder) !== problem) log.warn("content is not published", { folder, problem });
  told.set(folder, problem);
  if (before?.pointer === undefined || before.pointer.problem === problem || before.pointer.pushed === true) return;
  await store.state.write(pointerKey(folder), writePointer(signing, folder, { ...before.pointer, problem }), before.rev);
}

async function readPublished({ store, signing }: ContentDuty, folder: string): Promise<Published | undefined> {
  const key = pointerKey(folder);
  const entry = await store.state.read(key);
  if (entry === undefined) return undefined;
  try {
    return { pointer: readPointer(signing, entry), rev: entry.rev };
  } catch (error) {
    if (!isDamage(error) && !isRefused(error)) throw error;
    return { pointer: undefined, rev: entry.rev };
  }
}

const isRefused = (error: unknown): boolean => error instanceof FarmError && error.code === "CONTENT_REFUSED";

async function* oneChunk(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
