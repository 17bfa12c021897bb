import { readdir } from "node:fs/promises";
import { join } from "node:path";

import { FarmError, systemCode } from "../../../base/index.ts";
import { pause } from "../../bell.ts";
import type { Rev } from "../../contract.ts";
import { readWholeFile } from "./disk.ts";
import { versionName, versionOf } from "./key-path.ts";
import { decodeVersion, type VersionContent, type VersionHeader } from "./version-file.ts";

/** The present version of a key. */
export interface Version {
  readonly number: number;
  readonly header: VersionHeader;
  readonly value: Uint8Array;
}

/** Numbers of the versions in a key's directory, highest first; no directory has none. */
export async function versionNumbers(directory: string): Promise<readonly number[]> {
  try {
    return numbersOf(await readdir(directory));
  } catch (error) {
    if (systemCode(error) === "ENOENT") return [];
    throw error;
  }
}

/** Numbers of versions among the names of a directory, highest first. */
export function numbersOf(names: readonly string[]): readonly number[] {
  const numbers: number[] = [];
  for (const name of names) {
    const number = versionOf(name);
    if (number !== undefined) numbers.push(number);
  }
  return numbers.sort((a, b) => b - a);
}

const READ_TRIES = 20;
/** Tries without a pause. */
const AT_ONCE_TRIES = 3;
/** A short file is looked at again for this long: its writer may not use links and be in the middle of it. */
const SHORT_TRIES = 10;

/**
 * The highest complete version in a key's directory, tombstones included; undefined = none was ever written.
 * Old versions may be pruned between the listing and the reading: then it looks again.
 *
 * Where links work, a version appears whole, so a file that is short or damaged is told as STORE_CORRUPT and never passed over: an
 * older value, or absence, would be a lie. Without links the last version may be one whose writer is still writing or died: it is passed over.
 */
export async function readLatest(directory: string, hasLinks: boolean): Promise<Version | undefined> {
  let short = 0;
  for (let attempt = 1; attempt <= READ_TRIES; attempt += 1) {
    const numbers = await versionNumbers(directory);
    if (numbers.length === 0 && attempt > 1) return undefined;
    const found = await readHighest(directory, numbers, hasLinks);
    if (found === "gone") {
      // On a share the listing itself may be a second old: by the last try more than that has passed.
      if (attempt > AT_ONCE_TRIES) await pause(10 * attempt, AbortSignal.timeout(1000));
      continue;
    }
    if (found !== "short") return found;
    short += 1;
    if (short === SHORT_TRIES) throw damaged(directory, numbers[0] ?? 0, "ends early");
    await pause(15, AbortSignal.timeout(1000));
  }
  throw new FarmError("STORE_UNAVAILABLE", `${directory} changes faster than it can be read`);
}

async function readHighest(
  directory: string,
  numbers: readonly number[],
  hasLinks: boolean,
): Promise<Version | undefined | "gone" | "short"> {
  for (const number of numbers) {
    const content = await readVersion(directory, number);
    if (content === undefined) return "gone";
    if (content === "short" && hasLinks) return "short";
    if (content !== "short") return { number, ...content };
  }
  return numbers.length === 0 && hasLinks ? "gone" : undefined;
}

/** One version; undefined = not there. @throws STORE_CORRUPT */
export async function readVersion(directory: string, number: number): Promise<Exclude<VersionContent, "damaged"> | undefined> {
  const content = await readContent(join(directory, versionName(number)));
  if (content === "damaged") throw damaged(directory, number, "does not match its digest");
  return content;
}

async function readContent(file: string): Promise<VersionContent | undefined> {
  try {
    return decodeVersion(await readWholeFile(file));
  } catch (error) {
    if (systemCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

function damaged(directory: string, number: number, how: string): FarmError {
  const file = join(directory, versionName(number));
  return new FarmError("STORE_CORRUPT", `${file} ${how}`, { facts: { file } });
}

/** The version a caller of the contract sees: undefined for a tombstone too. */
export const liveRev = (version: Version | undefined): Rev | undefined =>
  version === undefined || version.header.removed ? undefined : version.header.rev;
