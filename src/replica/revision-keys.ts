import { FarmError } from "../base/index.ts";
import type { Entry, Store } from "../store/index.ts";
import { isConflict } from "./error-kinds.ts";
import { revisionKey, revisionOf } from "./revision-record.ts";
import { corrupt, decodeFields, encodeJson, numberField, textField } from "./state-json.ts";
import type { Revision } from "./types.ts";

/** Small keys about the revisions: cheap to watch, unlike the revisions themselves. */
export const HEAD_PREFIX = "config-head";
const HEAD_KEY = `${HEAD_PREFIX}/latest`;

/** Longer texts are blobs, so that listing and watching stay cheap. */
const MAX_INLINE_BYTES = 64 * 1024;
const MAX_TRIES = 10;

/** undefined = there is none of that number. @throws STORE_CORRUPT naming the key */
export async function readRevision(state: Store, number: number): Promise<Revision | undefined> {
  if (!Number.isSafeInteger(number) || number < 1) return undefined;
  const key = revisionKey(number);
  const entry = await state.read(key);
  if (entry === undefined) return undefined;
  const fields = decodeFields(entry.value, key);
  const yaml = typeof fields["yamlBlob"] === "string" ? await readText(state, fields["yamlBlob"]) : textField(fields, "yaml", key);
  const revision = revisionOf(fields, yaml, key);
  if (revision.number !== number) throw corrupt(key, `it says that it is revision ${revision.number}`);
  return revision;
}

/**
 * Creates the key of this revision exclusively and returns the revision that holds the number afterwards: this one, or the one of
 * somebody who was first. @throws STORE_UNKNOWN when reading back does not decide
 */
export async function claimRevision(state: Store, revision: Revision): Promise<Revision> {
  const { yaml, ...facts } = revision;
  const inline = Buffer.byteLength(yaml) <= MAX_INLINE_BYTES;
  const text = inline ? { yaml } : { yamlBlob: await state.putBlob(oneChunk(yaml)) };
  try {
    await state.write(revisionKey(revision.number), encodeJson({ ...facts, ...text }), undefined);
    return revision;
  } catch (error) {
    if (!(error instanceof FarmError) || (error.code !== "STORE_CONFLICT" && error.code !== "STORE_UNKNOWN")) throw error;
    const there = await readRevision(state, revision.number);
    if (there === undefined) throw error;
    return there;
  }
}

/** The number of the latest revision as last noted: a hint that may lag behind; 0 = no hint, or a damaged one. */
export async function readHead(state: Store): Promise<number> {
  return headIn(await state.read(HEAD_KEY));
}

function headIn(entry: Entry | undefined): number {
  if (entry === undefined) return 0;
  try {
    return numberField(decodeFields(entry.value, HEAD_KEY), "number", HEAD_KEY);
  } catch {
    return 0; // the listing tells, and the next revision mends it
  }
}

/** Notes a newer latest number. */
export async function raiseHead(state: Store, number: number): Promise<void> {
  for (let tries = 0; tries < MAX_TRIES; tries += 1) {
    const entry = await state.read(HEAD_KEY);
    if (headIn(entry) >= number) return;
    try {
      await state.write(HEAD_KEY, encodeJson({ number }), entry?.rev);
      return;
    } catch (error) {
      if (!isConflict(error)) throw error;
    }
  }
}

/** The highest number there is a key for; 0 = none. */
export async function highestListed(state: Store): Promise<number> {
  const entries = await state.list("revisions");
  return entries.reduce((highest, { key }) => Math.max(highest, Number(/^revisions\/(\d+)$/.exec(key)?.[1] ?? 0)), 0);
}

async function readText(state: Store, digest: string): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of state.getBlob(digest)) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
}

async function* oneChunk(text: string): AsyncGenerator<Uint8Array> {
  yield new TextEncoder().encode(text);
}
