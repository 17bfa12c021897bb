import { createCipheriv, createDecipheriv, hkdfSync, randomBytes, type KeyObject } from "node:crypto";

import { FarmError } from "../base/index.ts";

/** What a value is bound to: it opens nowhere else. */
export interface SealedPlace {
  /** The keyring's random id of the farm. */
  readonly farm: string;
  /** `certificates/www.example.com.pem`, `state/tickets/keys`: folder or `state`, then the name. */
  readonly name: string;
}

/** What the header of a sealed value says; believed only once the value was opened. */
export interface SealedHeader {
  /** Which data key. */
  readonly generation: number;
  /** Counts the writes of this name. */
  readonly version: number;
}

/**
 * Octets that sealing adds: mark (7), form (1), generation (4, big-endian), version (8, big-endian), nonce (24) before the ciphertext and the tag
 * (16) behind it.
 */
export const SEALING_BYTES = 60;

const MARK = Buffer.from([0xcf, ...Buffer.from("CFSEAL")]);
const FORM = 1;
const HEADER_BYTES = 44;
const NONCE_AT = 20;
const TAG_BYTES = 16;
const PURPOSE = "certfarm sealed value 1";

/** Whether bytes claim to be a sealed value. No PEM, PKCS#12, DER or JSON begins so. */
export const isSealed = (bytes: Uint8Array): boolean => Buffer.from(bytes.subarray(0, MARK.length)).equals(MARK);

/** @throws SECRETS_TAMPERED, SECRETS_NEWER, which name the value */
export function readSealedHeader(bytes: Uint8Array, name: string): SealedHeader {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (!isSealed(bytes) || bytes.byteLength < SEALING_BYTES) throw tampered(name, "it is cut short");
  const form = view.readUInt8(MARK.length);
  if (form > FORM)
    throw new FarmError("SECRETS_NEWER", `${name} is sealed in form ${form}; this version reads up to ${FORM}`, { facts: { name } });
  const version = view.readBigUInt64BE(12);
  if (form !== FORM || version > BigInt(Number.MAX_SAFE_INTEGER)) throw tampered(name, "its header was changed");
  return { generation: view.readUInt32BE(8), version: Number(version) };
}

/**
 * AES-256-GCM under a key of this value's own, derived from the data key and half of a random nonce of 24 octets; the other half is the nonce
 * of GCM. So no key encrypts more than one value, and a data key reaches the bound of random nonces only after far more than 2^64 values.
 */
export function sealValue(key: KeyObject, place: SealedPlace, header: SealedHeader, plain: Uint8Array): Uint8Array {
  const head = Buffer.alloc(HEADER_BYTES);
  MARK.copy(head);
  head.writeUInt8(FORM, MARK.length);
  head.writeUInt32BE(header.generation, 8);
  head.writeBigUInt64BE(BigInt(header.version), 12);
  randomBytes(HEADER_BYTES - NONCE_AT).copy(head, NONCE_AT);
  const cipher = createCipheriv("aes-256-gcm", valueKey(key, head), head.subarray(NONCE_AT + 12), { authTagLength: TAG_BYTES });
  cipher.setAAD(associatedData(place, head));
  return new Uint8Array(Buffer.concat([head, cipher.update(plain), cipher.final(), cipher.getAuthTag()]));
}

/** The plaintext. @throws SECRETS_TAMPERED when an octet of it, its header or its place is not what was sealed; SECRETS_NEWER */
export function openValue(key: KeyObject, place: SealedPlace, bytes: Uint8Array): Uint8Array {
  readSealedHeader(bytes, place.name);
  const head = Buffer.from(bytes.subarray(0, HEADER_BYTES));
  const decipher = createDecipheriv("aes-256-gcm", valueKey(key, head), head.subarray(NONCE_AT + 12), { authTagLength: TAG_BYTES });
  decipher.setAAD(associatedData(place, head));
  decipher.setAuthTag(bytes.subarray(bytes.byteLength - TAG_BYTES));
  try {
    return new Uint8Array(Buffer.concat([decipher.update(bytes.subarray(HEADER_BYTES, -TAG_BYTES)), decipher.final()]));
  } catch {
    // The cause has no more to say than that the tag differs.
    throw tampered(place.name, "it was changed, or sealed under another name or for another farm");
  }
}

function valueKey(key: KeyObject, head: Buffer): Buffer {
  return Buffer.from(hkdfSync("sha256", key, head.subarray(NONCE_AT, NONCE_AT + 12), PURPOSE, 32));
}

/** Each part behind its length, so that no two places read alike. */
function associatedData({ farm, name }: SealedPlace, head: Buffer): Buffer {
  const parts = [Buffer.from(PURPOSE), Buffer.from(farm), Buffer.from(name), head];
  return Buffer.concat(parts.flatMap((part) => [lengthOf(part), part]));
}

function lengthOf(part: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(part.byteLength);
  return length;
}

const tampered = (name: string, problem: string): FarmError =>
  new FarmError("SECRETS_TAMPERED", `${name}: ${problem}`, { facts: { name } });
