import { instant, type Instant } from "../base/index.ts";
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
  /** Why the folder in the store is not what is published. */
  readonly problem?: string;
}

export const encodePointer = (pointer: ContentPointer): Uint8Array => encodeJson(pointer);

/** @throws STORE_CORRUPT */
export function decodePointer(bytes: Uint8Array, where: string): ContentPointer {
  const fields = decodeFields(bytes, where);
  const digest = textField(fields, "digest", where);
  if (!isBlobDigest(digest)) throw corrupt(where, "it names no manifest");
  return {
    digest,
    files: numberField(fields, "files", where),
    bytes: numberField(fields, "bytes", where),
    at: instant(numberField(fields, "at", where)),
    ...(typeof fields["problem"] === "string" ? { problem: fields["problem"] } : {}),
  };
}

export const isBlobDigest = (text: string): boolean => /^sha256:[0-9a-f]{64}$/.test(text);
