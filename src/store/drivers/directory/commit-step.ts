import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";

import { FarmError, systemCode } from "../../../base/index.ts";
import type { Rev } from "../../contract.ts";
import { diskError, syncDirectory } from "./disk.ts";
import { versionName } from "./key-path.ts";
import { ANCESTORS, encodeVersion, newRev } from "./version-file.ts";
import type { Version } from "./versions.ts";

/** Where a store keeps its keys. */
export interface KeyPlace {
  /** `state/keys` */
  readonly keys: string;
  /** `state/tmp`, on the same file system */
  readonly temp: string;
  /** Whether the file system makes hard links. */
  readonly hasLinks: boolean;
}

/** A change of one key. */
export interface Commit {
  readonly key: string;
  readonly directory: string;
  readonly expect: Rev | undefined;
  /** undefined = a tombstone. */
  readonly value: Uint8Array | undefined;
}

/** Tells the caller how far a commit came, for an answer when it is late. */
export interface CommitProgress {
  /** True from the moment when the version may exist. */
  sent: boolean;
}

/** A version about to be created. */
export interface NextVersion {
  readonly commit: Commit;
  /** What it replaces. */
  readonly before: Version | undefined;
  readonly number: number;
  readonly rev: Rev;
  readonly file: string;
  readonly bytes: Uint8Array;
}

/** Puts a version together. */
export function nextVersion(commit: Commit, before: Version | undefined, number: number): NextVersion {
  const { key, directory, value = new Uint8Array() } = commit;
  const rev = newRev(number);
  const ancestors = before === undefined ? [] : [before.header.rev, ...before.header.ancestors].slice(0, ANCESTORS);
  const header = { key, rev, ancestors, length: value.byteLength, removed: commit.value === undefined };
  return { commit, before, number, rev, file: join(directory, versionName(number)), bytes: encodeVersion(header, value) };
}

/** Certain: nothing was written. */
export const conflict = (commit: Commit): FarmError =>
  new FarmError("STORE_CONFLICT", `${commit.key} is no longer at ${commit.expect ?? "no version"}: somebody else wrote it first`, {
    facts: { key: commit.key },
  });

/** The version may exist. */
export const unknownOutcome = (commit: Commit, cause: unknown): FarmError =>
  new FarmError("STORE_UNKNOWN", `${commit.key} may or may not have been written`, { facts: { key: commit.key }, cause });

/** Makes a key's directory below `state/keys`, which must be there: the mount point of an absent share must not be filled. */
export async function makeDirectories(keys: string, directory: string): Promise<void> {
  if (directory === keys) throw diskError(Object.assign(new Error("missing"), { code: "ENOENT" }), `looking at ${keys}`);
  try {
    await mkdir(directory, 0o700);
  } catch (error) {
    if (systemCode(error) === "EEXIST") return;
    if (systemCode(error) !== "ENOENT") throw error;
    await makeDirectories(keys, dirname(directory));
    return makeDirectories(keys, directory);
  }
  await syncDirectory(dirname(directory));
}
