import { createCipheriv, createHmac, pbkdf2Sync } from "node:crypto";

import { der } from "../der.ts";
import { hashOf } from "../hashes.ts";
import { pkcs12Kdf } from "../pkcs12/kdf.ts";

/** PKCS#12 files made part by part, also in ways that no tool writes. */
const OID = {
  data: "1.2.840.113549.1.7.1",
  encryptedData: "1.2.840.113549.1.7.6",
  keyBag: "1.2.840.113549.1.12.10.1.1",
  shroudedKeyBag: "1.2.840.113549.1.12.10.1.2",
  certificateBag: "1.2.840.113549.1.12.10.1.3",
  x509: "1.2.840.113549.1.9.22.1",
  friendlyName: "1.2.840.113549.1.9.20",
  localKeyId: "1.2.840.113549.1.9.21",
  pbes2: "1.2.840.113549.1.5.13",
  pbkdf2: "1.2.840.113549.1.5.12",
  pbmac1: "1.2.840.113549.1.5.14",
  hmacSha256: "1.2.840.113549.2.9",
  sha1: "1.3.14.3.2.26",
  aes256: "2.16.840.1.101.3.4.1.42",
} as const;

export const bmpPassword = (text: string): Buffer => Buffer.from(`${text}\0`, "utf16le").swap16();

const SALT = Buffer.from("0102030405060708", "hex");

export const contentInfo = (type: string, content: Uint8Array): Uint8Array => der.sequence(der.oid(type), der.context(0, content));
export const dataSafe = (...bags: readonly Uint8Array[]): Uint8Array => contentInfo(OID.data, der.octets(der.sequence(...bags)));

export function bag(type: string, value: Uint8Array, names: { friendlyName?: string; localKeyId?: string } = {}): Uint8Array {
  const attributes = [
    ...(names.friendlyName === undefined ? [] : [der.sequence(der.oid(OID.friendlyName), der.set(der.bmpString(names.friendlyName)))]),
    ...(names.localKeyId === undefined
      ? []
      : [der.sequence(der.oid(OID.localKeyId), der.set(der.octets(Buffer.from(names.localKeyId, "hex"))))]),
  ];
  return der.sequence(der.oid(type), der.context(0, value), ...(attributes.length === 0 ? [] : [der.set(...attributes)]));
}

export const certificateBag = (certificate: Uint8Array, names?: { friendlyName?: string; localKeyId?: string }): Uint8Array =>
  bag(OID.certificateBag, der.sequence(der.oid(OID.x509), der.context(0, der.octets(certificate))), names);
export const keyBag = (pkcs8: Uint8Array, names?: { friendlyName?: string; localKeyId?: string }): Uint8Array =>
  bag(OID.keyBag, pkcs8, names);

/** PBES2 with PBKDF2 and AES-256-CBC; `password` is the octets that PBKDF2 gets. */
function pbes2(
  plain: Uint8Array,
  password: Uint8Array,
  options: { iterations?: number; statedIterations?: number } = {},
): { algorithm: Uint8Array; data: Buffer } {
  const iterations = options.iterations ?? 10;
  const iv = Buffer.alloc(16, 9);
  const cipher = createCipheriv("aes-256-cbc", pbkdf2Sync(password, SALT, iterations, 32, "sha256"), iv);
  const prf = der.sequence(der.oid(OID.hmacSha256), der.null());
  const kdf = der.sequence(der.oid(OID.pbkdf2), der.sequence(der.octets(SALT), der.integer(options.statedIterations ?? iterations), prf));
  const algorithm = der.sequence(der.oid(OID.pbes2), der.sequence(kdf, der.sequence(der.oid(OID.aes256), der.octets(iv))));
  return { algorithm, data: Buffer.concat([cipher.update(plain), cipher.final()]) };
}

export function shroudedKeyBag(pkcs8: Uint8Array, password: Uint8Array): Uint8Array {
  const { algorithm, data } = pbes2(pkcs8, password);
  return bag(OID.shroudedKeyBag, der.sequence(algorithm, der.octets(data)));
}

/** An encrypted safe around a SafeContents of the bags. */
export function encryptedSafe(
  password: Uint8Array,
  bags: readonly Uint8Array[],
  options: { iterations?: number; statedIterations?: number } = {},
): Uint8Array {
  const { algorithm, data } = pbes2(der.sequence(...bags), password, options);
  const info = der.sequence(der.oid(OID.data), algorithm, der.primitive(0, data));
  return contentInfo(OID.encryptedData, der.sequence(der.integer(0), info));
}

/** MacData as the content and the given MAC key derivation want it. */
export type MacMaker = (content: Uint8Array) => Promise<Uint8Array>;

/** The MAC of RFC 7292 with any hash; `stated` is what the file claims as iterations. */
export const classicMac =
  (password: Uint8Array, options: { oid?: string; iterations?: number; stated?: number; cut?: number } = {}): MacMaker =>
  async (content) => {
    const oid = options.oid ?? OID.sha1;
    const hash = hashOf(oid, "test");
    const iterations = options.iterations ?? 10;
    const key = await pkcs12Kdf({ hash, password, salt: SALT, iterations, purpose: 3, length: hash.size });
    const digest = createHmac(hash.name, key).update(content).digest().subarray(0, options.cut);
    const info = der.sequence(der.sequence(der.oid(oid), der.null()), der.octets(digest));
    return der.sequence(info, der.octets(SALT), der.integer(options.stated ?? iterations));
  };

/** PBMAC1 of RFC 9579. `keyLength` undefined leaves the field out. */
export const pbmac1 =
  (password: Uint8Array, keyLength: number | undefined): MacMaker =>
  (content) => {
    const key = pbkdf2Sync(password, SALT, 10, keyLength ?? 32, "sha256");
    const digest = createHmac("sha256", key).update(content).digest();
    const algorithm = der.sequence(der.oid(OID.hmacSha256), der.null());
    const parameters = [der.octets(SALT), der.integer(10), ...(keyLength === undefined ? [] : [der.integer(keyLength)]), algorithm];
    const scheme = der.sequence(
      der.oid(OID.pbmac1),
      der.sequence(der.sequence(der.oid(OID.pbkdf2), der.sequence(...parameters)), algorithm),
    );
    return Promise.resolve(der.sequence(der.sequence(scheme, der.octets(digest)), der.octets(SALT), der.integer(1)));
  };

/** A whole file. */
export async function buildPfx(safes: readonly Uint8Array[], mac?: MacMaker): Promise<Uint8Array> {
  const content = der.sequence(...safes);
  return der.sequence(der.integer(3), contentInfo(OID.data, der.octets(content)), ...(mac === undefined ? [] : [await mac(content)]));
}
