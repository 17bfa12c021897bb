import { constants } from "node:fs";
import { open, realpath, type FileHandle } from "node:fs/promises";
import { join, sep } from "node:path";

import type { FileStat } from "../../contract.ts";
import { folderPathParts } from "../../key.ts";
import { isAbsent } from "./disk.ts";

/** The fields of a bigint stat that a FileStat is made of. */
export interface RawStat {
  readonly ino: bigint;
  readonly size: bigint;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
}

/** A stat as the contract shows it. The change time is in the stamp for tools that keep a file's size and modification time. */
export function fileStat(path: string, raw: RawStat): FileStat {
  return {
    path,
    size: Number(raw.size),
    mtimeMs: Number(raw.mtimeNs / 1_000_000n),
    stamp: `${raw.ino}:${raw.size}:${raw.mtimeNs}:${raw.ctimeNs}`,
  };
}

/** Whether a resolved path is a resolved root or below it. */
const isInside = (root: string, path: string): boolean => path === root || path.startsWith(root.endsWith(sep) ? root : root + sep);

/** Where a path really is; undefined when it is absent or a link leads it out of the root. @throws STORE_KEY_INVALID */
export async function resolveInside(root: string, path: string): Promise<string | undefined> {
  const parts = folderPathParts(path);
  try {
    const [base, real] = await Promise.all([realpath(root), realpath(join(root, ...parts))]);
    return isInside(base, real) ? real : undefined;
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}

/** Opens a regular file below the root; undefined when there is none. A pipe or device is not waited for. @throws STORE_KEY_INVALID */
export async function openInside(root: string, path: string): Promise<FileHandle | undefined> {
  const real = await resolveInside(root, path);
  if (real === undefined) return undefined;
  let file: FileHandle;
  try {
    file = await open(real, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0));
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
  if ((await file.stat()).isFile()) return file;
  await file.close();
  return undefined;
}
