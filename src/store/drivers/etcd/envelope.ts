import { randomBytes } from "node:crypto";

import { FarmError } from "../../../base/index.ts";

/**
 * What lies in etcd under a key: one octet for the form, a random id of this very write, the value. The id tells after an answer that never
 * came whether the write did.
 */
const FORM = 1;
const ID_BYTES = 16;
const HEAD_BYTES = 1 + ID_BYTES;

/** A new id of a write, in hexadecimal. */
export const newWriteId = (): string => randomBytes(ID_BYTES).toString("hex");

/** A value with its id. */
export const seal = (id: string, value: Uint8Array): Uint8Array => Buffer.concat([Uint8Array.of(FORM), Buffer.from(id, "hex"), value]);

/** The value and the id. @throws STORE_CORRUPT */
export function unseal(key: string, bytes: Uint8Array): { readonly id: string; readonly value: Uint8Array } {
  if (bytes.byteLength < HEAD_BYTES || bytes[0] !== FORM)
    throw new FarmError("STORE_CORRUPT", `${key} holds what certfarm did not write, or a newer one did`, { facts: { key } });
  return { id: Buffer.from(bytes.subarray(1, HEAD_BYTES)).toString("hex"), value: bytes.slice(HEAD_BYTES) };
}
