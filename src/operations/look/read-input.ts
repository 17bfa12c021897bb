import { readdir, readFile, stat } from "node:fs/promises";
import { basename, join } from "node:path";

import { FarmError, systemCode } from "../../base/index.ts";
import type { LooseFile } from "../../iis/index.ts";

/** The largest file that is read: a text of 64 MiB as UTF-16. */
const MAX_FILE_BYTES = 128 << 20;
/** Files of one folder; what is left out is not silent: it throws. */
const MAX_ENTRIES = 2_000;
const MAX_ALL_BYTES = 512 << 20;

/** A path that somebody named, as it is on disk. */
export type InputPath =
  | { readonly kind: "file"; readonly file: LooseFile }
  | {
      readonly kind: "folder";
      readonly name: string;
      readonly files: readonly LooseFile[];
      readonly folders: readonly { readonly name: string; readonly files: readonly LooseFile[] }[];
    };

/** Reads a file, or a folder and the folders in it. Dot files are left out. @throws DOCTOR_FILE_UNREADABLE */
export async function readInputPath(path: string): Promise<InputPath> {
  const budget = { left: MAX_ALL_BYTES };
  if (!(await kindOf(path)).isFolder) return { kind: "file", file: await readInputFile(path, budget) };
  const files: LooseFile[] = [];
  const folders: { name: string; files: readonly LooseFile[] }[] = [];
  for (const name of await entriesOf(path)) {
    const inner = join(path, name);
    const { isFolder, isFile } = await kindOf(inner);
    if (isFile) files.push(await readInputFile(inner, budget));
    else if (isFolder) folders.push({ name, files: await filesIn(inner, budget) });
  }
  return { kind: "folder", name: basename(path), files, folders };
}

async function filesIn(folder: string, budget: Budget): Promise<readonly LooseFile[]> {
  const files: LooseFile[] = [];
  for (const name of await entriesOf(folder)) {
    const path = join(folder, name);
    if ((await kindOf(path)).isFile) files.push(await readInputFile(path, budget));
  }
  return files;
}

interface Budget {
  left: number;
}

/** Reads one file that somebody named. @throws DOCTOR_FILE_UNREADABLE */
export async function readInputFile(path: string, budget: Budget = { left: MAX_ALL_BYTES }): Promise<LooseFile> {
  const { isFile, size } = await kindOf(path);
  if (!isFile) throw unreadable(path, "it is not a regular file");
  budget.left -= size;
  if (size > MAX_FILE_BYTES || budget.left < 0)
    throw unreadable(path, size > MAX_FILE_BYTES ? `it has ${size} octets` : "there are too many files");
  return { path, bytes: await readFile(path).catch((error: unknown) => Promise.reject(unreadable(path, systemCode(error), error))) };
}

async function entriesOf(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder).catch((error: unknown) => Promise.reject(unreadable(folder, systemCode(error), error)));
  if (names.length > MAX_ENTRIES) throw unreadable(folder, `it has ${names.length} entries, more than ${MAX_ENTRIES}`);
  return names.filter((name) => !name.startsWith(".")).toSorted();
}

async function kindOf(path: string): Promise<{ readonly isFile: boolean; readonly isFolder: boolean; readonly size: number }> {
  const found = await stat(path).catch((error: unknown) => Promise.reject(unreadable(path, systemCode(error), error)));
  return { isFile: found.isFile(), isFolder: found.isDirectory(), size: found.size };
}

function unreadable(path: string, why: string | undefined, cause?: unknown): FarmError {
  return new FarmError(
    "DOCTOR_FILE_UNREADABLE",
    `${path} cannot be read: ${why === "ENOENT" ? "there is no such file" : (why ?? "unknown")}`,
    {
      facts: { file: path },
      cause,
    },
  );
}
