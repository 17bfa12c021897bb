import { readdir } from "node:fs/promises";
import { join } from "node:path";

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
  const versions = new Map<string, Version>();
  const unread = new Set<string>();
  let level: string[] = [top];
  while (level.length > 0) {
    const below: string[] = [];
    await inParallel(level, async (directory) => {
      scan.signal?.throwIfAborted();
      const seen = await scan.gate.run(`reading ${directory}`, () => visitDirectory(scan, directory, directory === top));
      if (seen.version === "unwanted") unread.add(directory);
      else if (seen.version !== undefined) versions.set(directory, scan.keepsValues === false ? withoutValue(seen.version) : seen.version);
      for (const name of seen.below) below.push(join(directory, name));
    });
    level = below.slice(0, MAX_DIRECTORIES);
  }
  return { versions, unread };
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

const withoutValue = (version: Version): Version => ({ ...version, value: new Uint8Array() });

async function visitDirectory(
  scan: Scan,
  directory: string,
  isTop: boolean,
): Promise<{ readonly below: readonly string[]; readonly version: Version | "unwanted" | undefined }> {
  const listed = await listDirectory(directory);
  const below = listed.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  if (isTop) return { below, version: undefined };
  const [highest] = numbersOf(listed.map((entry) => entry.name));
  if (highest === undefined) return { below, version: undefined };
  if (scan.wants?.(directory, highest) === false) return { below, version: "unwanted" };
  const content = await readVersion(directory, highest);
  const whole = content !== undefined && content !== "short";
  return { below, version: whole ? { number: highest, ...content } : await readLatest(directory, scan.hasLinks) };
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
