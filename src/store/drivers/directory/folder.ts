import { lstat, mkdir, open, unlink } from "node:fs/promises";
import { join } from "node:path";

import { FarmError, systemCode, type Clock, type Log } from "../../../base/index.ts";
import type { FileStat, Folder } from "../../contract.ts";
import { folderPathParts } from "../../key.ts";
import { changedMeanwhile, tooLarge } from "../../limits.ts";
import { append, fillFrom, flush, nextPiece } from "./bulk.ts";
import { diskError, isAbsent, renameOver, syncDirectory, tempName } from "./disk.ts";
import type { FarmMarker } from "./farm-id.ts";
import { listNames, statInside, walkFiles } from "./folder-list.ts";
import { fileStat, openInside, resolveInside } from "./folder-path.ts";
import { watchFolder } from "./folder-watch.ts";
import type { Gate } from "./gate.ts";

/** What a folder of a directory store is made from. */
export interface FolderParts {
  readonly path: string;
  /** Whether changes below the top level matter. */
  readonly isDeep: boolean;
  /** Mode of new files. */
  readonly fileMode: number;
  readonly gate: Gate;
  readonly marker: FarmMarker;
  readonly clock: Clock;
  readonly log: Log;
  readonly pollMs: number;
  readonly closed: AbortSignal;
}

const READ_TRIES = 3;

/** A folder that people and their tools write to as well. */
export function createDirectoryFolder(parts: FolderParts): Folder {
  const { path: root, gate, marker, clock } = parts;
  const shown = (path: string): string => join(root, ...folderPathParts(path));

  const guard = async <T>(doing: string, work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      throw diskError(error, doing);
    }
  };
  /** One piece of work; what it finds absent is only believed while the store is there. */
  const look = <T>(doing: string, work: () => Promise<T | undefined>): Promise<T | undefined> =>
    guard(doing, () =>
      gate.run(doing, async () => {
        const found = await work();
        if (found === undefined) await marker.require();
        return found;
      }),
    );

  return {
    names: () =>
      guard(`listing ${root}`, async () => {
        const names = await listNames(root, gate, clock.now());
        await gate.run(`listing ${root}`, () => marker.require());
        return names;
      }),
    async *walk() {
      try {
        yield* walkFiles(root, gate, clock.now());
        await gate.run(`listing ${root}`, () => marker.require());
      } catch (error) {
        throw diskError(error, `listing ${root}`);
      }
    },
    async stat(path) {
      const doing = `looking at ${shown(path)}`;
      return look(doing, () => statInside(root, path));
    },
    async read(path, { maxBytes }) {
      const doing = `reading ${shown(path)}`;
      for (let attempt = 1; attempt <= READ_TRIES; attempt += 1) {
        const read = await guard(doing, () => readOnce(parts, { path, doing }, maxBytes));
        if (read === undefined) await guard(doing, () => gate.run(doing, () => marker.require()));
        if (read !== "changed") return read;
      }
      throw new FarmError("STORE_UNAVAILABLE", `${doing}: it changes while it is read`);
    },
    open: (path, options) => streamFile(parts, path, options?.signal),
    async put(path, bytes, { expect } = {}) {
      const file = shown(path);
      const work = { path, doing: `writing ${file}`, ...(expect === undefined ? {} : { expect }) };
      return guard(work.doing, () => putFile(parts, work, bytes));
    },
    async remove(path) {
      const file = shown(path);
      await guard(`removing ${file}`, () => gate.run(`removing ${file}`, () => removeFile(parts, path)));
    },
    watch: ({ signal }) => watchFolder(parts, AbortSignal.any([signal, parts.closed])),
  };
}

type ReadFile = { readonly bytes: Uint8Array; readonly stat: FileStat };

interface FileWork {
  readonly path: string;
  /** For messages. */
  readonly doing: string;
  /** The stamp of the version that may be replaced. */
  readonly expect?: string;
}

async function readOnce(parts: FolderParts, work: FileWork, maxBytes: number): Promise<ReadFile | "changed" | undefined> {
  const { path: root, gate } = parts;
  const { path, doing } = work;
  const opened = await gate.run(doing, async () => {
    const file = await openInside(root, path);
    return file === undefined ? undefined : { file, before: fileStat(path, await file.stat({ bigint: true })) };
  });
  if (opened === undefined) return undefined;
  const { file, before } = opened;
  try {
    if (before.size > maxBytes) throw tooLarge(join(root, path), before.size, maxBytes);
    const bytes = new Uint8Array(before.size);
    if (!(await fillFrom({ file, gate, doing }, bytes))) return "changed";
    const after = fileStat(path, await gate.run(doing, () => file.stat({ bigint: true })));
    return after.stamp === before.stamp ? { bytes, stat: before } : "changed";
  } finally {
    await file.close();
  }
}

async function* streamFile(parts: FolderParts, path: string, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
  const { path: root, gate } = parts;
  const doing = `reading ${join(root, ...folderPathParts(path))}`;
  try {
    const file = await gate.run(doing, () => openInside(root, path));
    if (file === undefined) throw new FarmError("STORE_UNAVAILABLE", `${doing}: it is not there`);
    try {
      for (;;) {
        if (signal?.aborted === true) throw new FarmError("CANCELLED", `${doing} was cancelled`);
        const piece = await nextPiece({ file, gate, doing });
        if (piece === undefined) return;
        yield piece;
      }
    } finally {
      await file.close();
    }
  } catch (error) {
    throw diskError(error, doing);
  }
}

/** The real directory a file is written to, made when it is missing; never outside the folder. */
async function parentOf(parts: FolderParts, path: string): Promise<string> {
  const { path: root, marker } = parts;
  await marker.require();
  const above = folderPathParts(path).slice(0, -1);
  if (above.length === 0) {
    await mkdir(root, { recursive: true });
    return root;
  }
  const known = await resolveInside(root, above.join("/"));
  if (known !== undefined) return known;
  const parent = await parentOf(parts, above.join("/"));
  try {
    await mkdir(join(parent, above.at(-1) ?? ""));
    await syncDirectory(parent);
  } catch (error) {
    if (systemCode(error) !== "EEXIST") throw error;
  }
  const made = await resolveInside(root, above.join("/"));
  if (made === undefined) throw new FarmError("STORE_KEY_INVALID", `${join(root, ...above)} leads out of ${root}`);
  return made;
}

async function putFile(parts: FolderParts, work: FileWork, bytes: Uint8Array): Promise<FileStat> {
  const { gate, fileMode } = parts;
  const { path, doing } = work;
  const parent = await gate.run(doing, () => parentOf(parts, path));
  const temp = join(parent, tempName());
  const file = join(parent, folderPathParts(path).at(-1) ?? "");
  try {
    const bulk = { file: await gate.run(doing, () => open(temp, "wx", fileMode)), gate, doing };
    try {
      await append(bulk, bytes, 0);
      await flush(bulk);
    } finally {
      await bulk.file.close();
    }
    const late = (): FarmError => new FarmError("STORE_UNKNOWN", `${doing}: the disk does not answer; it may or may not have been done`);
    const publishing = async (): Promise<FileStat> => {
      if (work.expect !== undefined) await requireStamp(parts.path, work);
      return publish(parent, { temp, file, path });
    };
    return await gate.run(doing, publishing, { late });
  } catch (error) {
    await unlink(temp).catch(() => undefined);
    throw error;
  }
}

async function requireStamp(root: string, { path, expect }: FileWork): Promise<void> {
  if ((await statInside(root, path))?.stamp !== expect) throw changedMeanwhile(join(root, path));
}

async function publish(parent: string, names: { readonly temp: string; readonly file: string; readonly path: string }): Promise<FileStat> {
  await renameOver(names.temp, names.file);
  await syncDirectory(parent);
  return fileStat(names.path, await lstat(names.file, { bigint: true }));
}

async function removeFile(parts: FolderParts, path: string): Promise<void> {
  const { path: root, marker } = parts;
  const above = folderPathParts(path).slice(0, -1);
  const parent = above.length === 0 ? root : await resolveInside(root, above.join("/"));
  try {
    if (parent !== undefined) {
      await unlink(join(parent, folderPathParts(path).at(-1) ?? ""));
      return await syncDirectory(parent);
    }
  } catch (error) {
    if (!isAbsent(error)) throw error;
  }
  await marker.require();
}
