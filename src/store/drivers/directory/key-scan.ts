import { readdir } from "node:fs/promises";
import { join, sep } from "node:path";

import { systemCode } from "../../../base/index.ts";
import type { Gate } from "./gate.ts";
import { partName } from "./key-path.ts";
import { numbersOf, readLatest, readVersion, type Version } from "./versions.ts";

/** Where to look and how. */
export interface Scan {
  readonly keys: string;
  readonly parts: readonly string[];
  readonly hasLinks: boolean;
  readonly gate: Gate;
  /** Asked before a file is read: false = its version is known already. */
  readonly wants?: (directory: string, number: number) => boolean;
  /** false = values are dropped once they are checked. */
  readonly keepsValues?: boolean;
  readonly signal?: AbortSignal;
}

/** What a scan found. `unread`: directories whose highest version was not wanted. */
export interface Found {
  readonly versions: ReadonlyMap<string, Version>;
  readonly unread: ReadonlySet<string>;
}

/** The directory of a key or prefix. */
export const keyDirectory = (keys: string, parts: readonly string[]): string => join(keys, ...parts.map(partName));

/** As many as the gate lets through. */
const WORKERS = 3;
/** Directories of one level at most. */
const MAX_DIRECTORIES = 2_000_000;

/** The highest version of every key below a prefix, tombstones included, by directory. */
export async function scanKeys(scan: Scan): Promise<Found> {
  const top = keyDirectory(scan.keys, scan.parts);
  const found = { versions: new Map<string, Version>(), unread: new Set<string>() };
  for (let level = await visitAll(scan, [top], found); level.length > 0; level = await visitAll(scan, level, found));
  found.versions.delete(top);
  found.unread.delete(top);
  return found;
}

/** The highest versions in these directories alone, relative to `keys`; those outside the prefix are left out. */
export async function scanDirectories(scan: Scan, directories: readonly string[]): Promise<Found> {
  const top = `${keyDirectory(scan.keys, scan.parts)}${sep}`;
  const found = { versions: new Map<string, Version>(), unread: new Set<string>() };
  const inside = directories.map((directory) => join(scan.keys, directory)).filter((directory) => directory.startsWith(top));
  await visitAll(scan, inside, found);
  return found;
}

/** Directories one piece of work looks at. */
const AT_ONCE = 8;

/** Looks at directories and gives those directly below them. */
async function visitAll(
  scan: Scan,
  directories: readonly string[],
  found: { readonly versions: Map<string, Version>; readonly unread: Set<string> },
): Promise<readonly string[]> {
  const below: string[] = [];
  const groups = Array.from({ length: Math.ceil(directories.length / AT_ONCE) }, (_, at) =>
    directories.slice(at * AT_ONCE, (at + 1) * AT_ONCE),
  );
  await inParallel(groups, async (group) => {
    scan.signal?.throwIfAborted();
    await scan.gate.run(`reading ${group[0] ?? scan.keys}`, async () => {
      for (const directory of group) below.push(...(await visit(scan, directory, found)));
    });
  });
  return below.slice(0, MAX_DIRECTORIES);
}

/** Runs work for each item, as many at a time as the gate lets through; the first failure ends it. */
export async function inParallel<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  let at = 0;
  const worker = async (): Promise<void> => {
    try {
      for (let item = items[at++]; item !== undefined; item = items[at++]) await work(item);
    } catch (error) {
      at = items.length;
      throw error;
    }
  };
  await Promise.all(Array.from({ length: Math.min(WORKERS, items.length) }, worker));
}

async function visit(
  scan: Scan,
  directory: string,
  found: { readonly versions: Map<string, Version>; readonly unread: Set<string> },
): Promise<readonly string[]> {
  const listed = await listDirectory(directory);
  const below = listed.filter((entry) => entry.isDirectory()).map((entry) => join(directory, entry.name));
  const [highest] = numbersOf(listed.map((entry) => entry.name));
  if (highest === undefined) return below;
  if (scan.wants?.(directory, highest) === false) {
    found.unread.add(directory);
    return below;
  }
  const content = await readVersion(directory, highest);
  const isWhole = content !== undefined && content !== "short";
  const version = isWhole ? { number: highest, ...content } : await readLatest(directory, scan.hasLinks);
  if (version !== undefined) found.versions.set(directory, scan.keepsValues === false ? { ...version, value: new Uint8Array() } : version);
  return below;
}

async function listDirectory(directory: string): ReturnType<typeof readEntries> {
  try {
    return await readEntries(directory);
  } catch (error) {
    if (systemCode(error) === "ENOENT") return [];
    throw error;
  }
}

const readEntries = (directory: string): Promise<readonly { readonly name: string; isDirectory(): boolean }[]> =>
  readdir(directory, { withFileTypes: true });
