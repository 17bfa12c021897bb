import { X509Certificate } from "node:crypto";

import { FarmError, instant, toFarmError } from "../base/index.ts";
import type { Signing } from "../identity/index.ts";
import type { Entry, Store } from "../store/index.ts";
import { isConflict, isDamage } from "./error-kinds.ts";
import { readSaying, writeSaying, type HeardSaying } from "./farm-statement.ts";
import { revisionKey, revisionOf } from "./revision-record.ts";
import { corrupt, decodeFields, encodeJson, numberField, textField } from "./state-json.ts";
import type { Revision } from "./types.ts";

/** Small keys about the revisions: cheap to watch, unlike the revisions themselves. */
export const HEAD_PREFIX = "config-head";
const REVISIONS = "revisions";
const HEAD_KEY = `${HEAD_PREFIX}/latest`;

/** Longer texts are blobs, so that listing and watching stay cheap. */
const MAX_INLINE_BYTES = 64 * 1024;
const MAX_TRIES = 10;

/**
 * undefined = there is none of that number. One that nobody who may has signed is marked as refused: it can be read, not applied.
 * @throws STORE_CORRUPT naming the key
 */
export async function readRevision(state: Store, number: number, signing?: Signing): Promise<Revision | undefined> {
  if (!Number.isSafeInteger(number) || number < 1) return undefined;
  const key = revisionKey(number);
  const entry = await state.read(key);
  if (entry === undefined) return undefined;
  const heard = readSaying(signing, { kind: "revision", id: String(number) }, entry.value);
  if (heard.body === undefined) throw corrupt(key, heard.kind === "refused" ? heard.problem : "it is empty");
  const fields = decodeFields(heard.body, key);
  const yaml = typeof fields["yamlBlob"] === "string" ? await readText(state, fields["yamlBlob"]) : textField(fields, "yaml", key);
  const revision = revisionOf(fields, yaml, key);
  if (revision.number !== number) throw corrupt(key, `it says that it is revision ${revision.number}`);
  return { ...revision, ...signerOf(heard, revision) };
}

/** Who signed it is never what the text itself says. */
function signerOf(heard: HeardSaying, { at }: Revision): Pick<Revision, "signer" | "signerSerial" | "refused"> {
  if (heard.kind === "refused") return { refused: heard.problem };
  if (heard.issuedAt !== undefined && heard.issuedAt !== at) return { refused: "it was not signed at the moment that it names" };
  return heard.signer === undefined ? {} : { signer: heard.signer.name, signerSerial: heard.signer.serial };
}

/**
 * Creates the key of this revision exclusively and returns the revision that holds the number afterwards: this one, or the one of
 * somebody who was first. @throws STORE_UNKNOWN when reading back does not decide, SIGNING_ROLE_WRONG
 */
export async function claimRevision(state: Store, revision: Revision, signing?: Signing): Promise<Revision> {
  const { yaml, ...facts } = revision;
  const inline = Buffer.byteLength(yaml) <= MAX_INLINE_BYTES;
  const text = inline ? { yaml } : { yamlBlob: await state.putBlob(oneChunk(yaml)) };
  const { number, at } = revision;
  const value = writeSaying(signing, { kind: "revision", id: String(number), at, body: encodeJson({ ...facts, ...text }) });
  try {
    await state.write(revisionKey(number), value, undefined);
  } catch (error) {
    if (!(error instanceof FarmError) || (error.code !== "STORE_CONFLICT" && error.code !== "STORE_UNKNOWN")) throw error;
    const there = await readMarked(state, number, signing);
    if (there === undefined) throw error;
    return there;
  }
  return signing === undefined ? revision : { ...revision, ...signerNow(signing) };
}

/** The same; in a farm with identities damage is marked too, since anybody who can write into the store can make some. */
export async function readMarked(state: Store, number: number, signing: Signing | undefined): Promise<Revision | undefined> {
  try {
    return await readRevision(state, number, signing);
  } catch (error) {
    if (signing === undefined || !isDamage(error)) throw error;
    return { number, yaml: "", digest: "", at: instant(0), by: "", refused: toFarmError(error).message };
  }
}

function signerNow(signing: Signing): Pick<Revision, "signer" | "signerSerial"> {
  const { name, certificatePem } = signing.identity();
  return { signer: name, signerSerial: new X509Certificate(certificatePem).serialNumber.toUpperCase() };
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

/** The numbers there are keys for, highest first. */
export async function listedNumbers(state: Store): Promise<readonly number[]> {
  const numbers = (await state.list(REVISIONS)).flatMap(({ key }) => Number(/^revisions\/(\d+)$/.exec(key)?.[1] ?? []));
  return numbers.filter((number) => Number.isSafeInteger(number) && number > 0).sort((one, other) => other - one);
}

async function readText(state: Store, digest: string): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of state.getBlob(digest)) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
}

async function* oneChunk(text: string): AsyncGenerator<Uint8Array> {
  yield new TextEncoder().encode(text);
}
