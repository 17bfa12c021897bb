import { lstat, readdir, stat, unlink } from "node:fs/promises";
import { join } from "node:path";

import type { FileStat } from "../../contract.ts";
import { folderPathParts } from "../../key.ts";
import { isAbsent, TEMP_PREFIX } from "./disk.ts";
import { fileStat, type RawStat, resolveInside } from "./folder-path.ts";
import type { Gate } from "./gate.ts";
import { inParallel } from "./key-scan.ts";

/** What a directory entry is, without asking the disk again. */
export interface ListedEntry {
  readonly name: string;
  isFile(): boolean;
  isDirectory(): boolean;
  isSymbolicLink(): boolean;
}

/** A listing is one call, and takes long for a large folder on a share. */
const LISTING = { deadlineMs: 30_000 };
/** A temporary file this old has lost its writer. Wall clocks of servers differ, hence so long. */
const DEAD_TEMP_MS = 86_400_000;
const REMOVED_AT_ONCE = 16;

export const listEntries = (directory: string): Promise<readonly ListedEntry[]> => readdir(directory, { withFileTypes: true });

const isTemp = (entry: ListedEntry): boolean => entry.name.startsWith(TEMP_PREFIX);

/** Names without an extension are looked at one by one; more than these are no farm's doing and are left out. */
const MAX_LOOKED_AT = 1_000;

/**
 * Names of the files of a directory, by one plain listing: an object for each entry (`withFileTypes`) would cost 20 MB more for 100,000 of
 * them. Only names without an extension
 * are looked at, so a sub-folder called `x.pfx` is listed; its stat tells.
 */
export async function listNames(root: string, gate: Gate, nowMs: number): Promise<readonly string[]> {
  const all = await gate.run(`listing ${root}`, () => readdir(root), LISTING);
  const names: string[] = [];
  const doubtful: string[] = [];
  const temps: string[] = [];
  for (const name of all) {
    if (name.startsWith(TEMP_PREFIX)) temps.push(name);
    else if (name.lastIndexOf(".") > 0 && !name.startsWith("..")) names.push(name);
    else if (doubtful.length < MAX_LOOKED_AT) doubtful.push(name);
    else doubtful.push(name);
  }
  await inParallel(doubtful, async (name) => {
    const found = await gate.run(`looking at ${join(root, name)}`, () => statInside(root, name));
    if (found !== undefined) names.push(name);
  });
  if (temps.length > 0) await gate.run(`tidying ${root}`, () => removeDead(root, temps, nowMs));
  return names;
}

async function removeDead(directory: string, temps: readonly string[], nowMs: number): Promise<void> {
  for (const name of temps.slice(0, REMOVED_AT_ONCE)) {
    try {
      const file = join(directory, name);
      if ((await lstat(file)).mtimeMs < nowMs - DEAD_TEMP_MS) await unlink(file);
    } catch {
      // Its writer ended it, or this process may not: it stays hidden.
    }
  }
}

/** The stat of a regular file below the root, links resolved; undefined when there is none. */
export async function statInside(root: string, path: string): Promise<FileStat | undefined> {
  try {
    // What stands in the root itself and is no link needs nothing resolved: that is most files, looked at again and again.
    const parts = folderPathParts(path);
    if (parts.length === 1) {
      const raw = await lstat(join(root, ...parts), { bigint: true });
      if (!raw.isSymbolicLink()) return raw.isFile() ? fileStat(path, raw) : undefined;
    }
    const real = await resolveInside(root, path);
    if (real === undefined) return undefined;
    const raw = await stat(real, { bigint: true });
    return raw.isFile() ? fileStat(path, raw) : undefined;
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}

const MAX_DEPTH = 64;
const BATCH = 32;

/** Every regular file below the root with its stat. Linked directories are not entered; files that vanish meanwhile are left out. */
export async function* walkFiles(root: string, gate: Gate, nowMs: number): AsyncGenerator<FileStat> {
  const todo = [""];
  for (let directory = todo.pop(); directory !== undefined; directory = todo.pop()) {
    const inside = directory;
    const isRoot = inside === "";
    const entries = await gate.run(`listing ${join(root, inside)}`, () => listWalked(root, inside, nowMs), LISTING);
    const deeper = entries.filter((entry) => entry.isDirectory()).map((entry) => (isRoot ? entry.name : `${inside}/${entry.name}`));
    if (inside.split("/").length < MAX_DEPTH) todo.push(...deeper);
    const files = entries.filter((entry) => !entry.isDirectory() && (entry.isFile() || entry.isSymbolicLink()));
    for (let at = 0; at < files.length; at += BATCH) {
      const stats = files.slice(at, at + BATCH).map((entry) => {
        const path = isRoot ? entry.name : `${inside}/${entry.name}`;
        return gate.run(`looking at ${join(root, path)}`, () => (entry.isFile() ? lstatFile(root, path) : statInside(root, path)));
      });
      for (const found of await Promise.all(stats)) if (found !== undefined) yield found;
    }
  }
}

async function listWalked(root: string, inside: string, nowMs: number): Promise<readonly ListedEntry[]> {
  const directory = join(root, inside);
  try {
    const entries = await listEntries(directory);
    const temps = entries.filter(isTemp);
    await removeDead(
      directory,
      temps.map((entry) => entry.name),
      nowMs,
    );
    return temps.length === 0 ? entries : entries.filter((entry) => !isTemp(entry));
  } catch (error) {
    if (inside !== "" && isAbsent(error)) return [];
    throw error;
  }
}

async function lstatFile(root: string, path: string): Promise<FileStat | undefined> {
  try {
    const raw: RawStat & { isFile(): boolean } = await lstat(join(root, path), { bigint: true });
    return raw.isFile() ? fileStat(path, raw) : undefined;
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}
