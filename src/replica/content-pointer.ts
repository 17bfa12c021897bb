import { FarmError, instant, type Instant } from "../base/index.ts";
import type { Signing } from "../identity/index.ts";
import type { Entry } from "../store/index.ts";
import { readSaying, writeSaying } from "./farm-statement.ts";
import { corrupt, decodeFields, encodeJson, numberField, textField } from "./state-json.ts";

/** Prefix of the keys that name each folder's newest manifest. */
export const POINTER_PREFIX = "content";

/** Key of a folder's pointer. */
export const pointerKey = (folder: string): string => `${POINTER_PREFIX}/${folder}`;

/** Which manifest a content folder has now. */
export interface ContentPointer {
  /** Of the manifest's blob: `sha256:<64 hex>`. */
  readonly digest: string;
  readonly files: number;
  readonly bytes: number;
  readonly at: Instant;
  /** Published by hand: its files are blobs, and `content/` of the store does not count. */
  readonly pushed?: boolean;
  /** Why the folder in the store is not what is published. */
  readonly problem?: string;
}

/** The pointer of a folder as it is stored; signed in a farm with identities. @throws SIGNING_ROLE_WRONG */
export function writePointer(signing: Signing | undefined, folder: string, pointer: ContentPointer): Uint8Array {
  return writeSaying(signing, { kind: "content", id: folder, at: pointer.at, body: encodeJson(pointer) });
}

/** @throws STORE_CORRUPT, CONTENT_REFUSED when the farm has identities and no admin signed it */
export function readPointer(signing: Signing | undefined, { key, value }: Entry): ContentPointer {
  const heard = readSaying(signing, { kind: "content", id: folderOf(key) }, value);
  if (heard.kind === "heard") return decodePointer(heard.body, key);
  if (signing === undefined) throw corrupt(key, heard.problem);
  const message = `content/${folderOf(key)} was not published by an admin of this farm: ${heard.problem}`;
  throw new FarmError("CONTENT_REFUSED", message, { facts: { key, reason: heard.reason } });
}

/** The folder that a pointer's key names. */
export const folderOf = (key: string): string => key.slice(POINTER_PREFIX.length + 1);

function decodePointer(bytes: Uint8Array, where: string): ContentPointer {
  const fields = decodeFields(bytes, where);
  const digest = textField(fields, "digest", where);
  if (!isBlobDigest(digest)) throw corrupt(where, "it names no manifest");
  return {
    digest,
    files: numberField(fields, "files", where),
    bytes: numberField(fields, "bytes", where),
    at: instant(numberField(fields, "at", where)),
    ...(fields["pushed"] === true ? { pushed: true } : {}),
    ...(typeof fields["problem"] === "string" ? { problem: fields["problem"] } : {}),
  };
}

export const isBlobDigest = (text: string): boolean => /^sha256:[0-9a-f]{64}$/.test(text);
