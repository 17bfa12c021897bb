import { FarmError } from "../base/index.ts";
import type { FarmStore } from "../store/index.ts";
import { isConflict } from "./error-kinds.ts";
import { pause } from "./follow.ts";
import { HEAD_PREFIX } from "./revision-keys.ts";
import { MAX_YAML_BYTES, readableCopy } from "./revision-record.ts";
import { decodeFields, encodeJson, numberField, sha256, textField } from "./state-json.ts";
import type { Revision } from "./types.ts";

/** What `config/farm.yaml`, the file that people edit, holds right now. */
export type FarmFile =
  | { readonly kind: "absent" }
  | { readonly kind: "text"; readonly yaml: string; readonly digest: string }
  /** Too large or not UTF-8; the digest still tells one such content from another. */
  | { readonly kind: "unusable"; readonly digest: string; readonly problem: string };

/** How the file stands to the latest revision. */
export type FarmFileState =
  | { readonly kind: "in-sync" }
  /** It was behind (or absent) and now holds the latest revision. */
  | { readonly kind: "written" }
  /** Somebody saved something that is no revision yet. */
  | Exclude<FarmFile, { kind: "absent" }>;

const FILE = "farm.yaml";
const MARK_KEY = `${HEAD_PREFIX}/farm-file`;
/** Between two equal looks: longer than an editor takes from truncating a file to writing it. */
const SETTLE_MS = 250;
const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** One look at the file. Throws STORE_UNAVAILABLE when it cannot be read. */
export async function readFarmFile(store: FarmStore): Promise<FarmFile> {
  const folder = store.folder("config");
  try {
    const read = await folder.read(FILE, { maxBytes: MAX_YAML_BYTES });
    return read === undefined ? { kind: "absent" } : decodeFarmFile(read.bytes);
  } catch (error) {
    if (!(error instanceof FarmError) || error.code !== "STORE_VALUE_TOO_LARGE") throw error;
    const stamp = (await folder.stat(FILE))?.stamp ?? "";
    return { kind: "unusable", digest: sha256(`stamp ${stamp}`), problem: `config/farm.yaml is larger than ${MAX_YAML_BYTES} bytes` };
  }
}

function decodeFarmFile(bytes: Uint8Array): FarmFile {
  const digest = sha256(bytes);
  try {
    return { kind: "text", yaml: UTF8.decode(bytes), digest };
  } catch {
    return { kind: "unusable", digest, problem: "config/farm.yaml is not UTF-8 text" };
  }
}

/** Two equal looks at the file, a quarter of a second apart; undefined = it is being written. */
export async function readSettledFarmFile(store: FarmStore, signal: AbortSignal): Promise<FarmFile | undefined> {
  const first = await readFarmFile(store);
  await pause(SETTLE_MS, signal);
  const second = await readFarmFile(store);
  return sameContent(first, second) ? second : undefined;
}

const sameContent = (one: FarmFile, other: FarmFile): boolean => digestOf(one) === digestOf(other);
const digestOf = (file: FarmFile): string => (file.kind === "absent" ? "" : file.digest);

/**
 * Brings the file up to the latest revision when it still holds what it held at an earlier one (or is gone), and writes that revision's
 * readable copy; anything else in it is somebody's edit and is left alone. A mark in the state says which content was last in step, so
 * that a crash after the revision was made is told from an edit.
 */
export async function settleFarmFile(store: FarmStore, latest: Revision | undefined, seen?: FarmFile): Promise<FarmFileState> {
  const file = seen ?? (await readFarmFile(store));
  if (latest === undefined) return file.kind === "absent" ? { kind: "in-sync" } : file;
  await writeReadableCopy(store, latest);
  const mark = await readMark(store);
  if (file.kind !== "absent" && file.digest === latest.digest) {
    if (mark?.number !== latest.number) await writeMark(store, latest);
    return { kind: "in-sync" };
  }
  const behind = file.kind === "absent" || (mark !== undefined && mark.number < latest.number && mark.digest === file.digest);
  if (!behind) return file;
  await store.folder("config").put(FILE, new TextEncoder().encode(latest.yaml));
  await writeMark(store, latest);
  return { kind: "written" };
}

async function writeReadableCopy(store: FarmStore, revision: Revision): Promise<void> {
  const path = `revisions/${String(revision.number).padStart(6, "0")}.yaml`;
  const folder = store.folder("config");
  if ((await folder.stat(path)) === undefined) await folder.put(path, readableCopy(revision));
}

async function readMark(store: FarmStore): Promise<{ readonly number: number; readonly digest: string } | undefined> {
  const entry = await store.state.read(MARK_KEY);
  if (entry === undefined) return undefined;
  const fields = decodeFields(entry.value, MARK_KEY);
  return { number: numberField(fields, "number", MARK_KEY), digest: textField(fields, "digest", MARK_KEY) };
}

async function writeMark(store: FarmStore, { number, digest }: Revision): Promise<void> {
  const entry = await store.state.read(MARK_KEY);
  try {
    await store.state.write(MARK_KEY, encodeJson({ number, digest }), entry?.rev);
  } catch (error) {
    // Somebody else brought the file into step at the same moment; the next look decides again.
    if (!isConflict(error)) throw error;
  }
}
