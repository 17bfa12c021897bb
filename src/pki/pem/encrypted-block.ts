import { hash } from "node:crypto";

import { FarmError } from "../../base/index.ts";
import { CIPHER, rc2Cbc, type Cipher } from "../ciphers/cipher.ts";
import { keyFormOf } from "../key-encoding.ts";
import type { KeyRing } from "../passwords.ts";
import { malformed, readValue, scan, sequenceOf } from "../tlv.ts";
import type { PemBlock } from "./blocks.ts";

/** Names of DEK-Info, as OpenSSL writes them. */
const CIPHERS: Readonly<Record<string, Cipher>> = {
  "AES-128-CBC": CIPHER.aes128,
  "AES-192-CBC": CIPHER.aes192,
  "AES-256-CBC": CIPHER.aes256,
  "CAMELLIA-128-CBC": CIPHER.camellia128,
  "CAMELLIA-192-CBC": CIPHER.camellia192,
  "CAMELLIA-256-CBC": CIPHER.camellia256,
  "DES-EDE3-CBC": CIPHER.tripleDes,
  "DES-EDE-CBC": CIPHER.twoKeyTripleDes,
  "DES-CBC": CIPHER.des,
  "RC2-CBC": rc2Cbc(16, 128),
  "RC2-64-CBC": rc2Cbc(8, 64),
  "RC2-40-CBC": rc2Cbc(5, 40),
};

/** Whether a block is encrypted in the way of RFC 1421, as OpenSSL did before PKCS#8. */
export const isEncryptedBlock = (block: PemBlock): boolean => /ENCRYPTED/i.test(block.headers.get("proc-type") ?? "");

/** What was opened. */
export interface OpenedBlock {
  readonly label: string;
  readonly cipher: Cipher;
  /** Undefined when no password opens it. */
  readonly plain: Uint8Array | undefined;
}

/** Decrypts a block whose headers name cipher and IV. @throws CERTIFICATE_UNSUPPORTED, CERTIFICATE_MALFORMED */
export async function openEncryptedBlock(block: PemBlock, keys: KeyRing): Promise<OpenedBlock> {
  const [name = "", ivHex = ""] = (block.headers.get("dek-info") ?? "").split(",").map((part) => part.trim());
  const cipher = CIPHERS[name.toUpperCase()];
  const where = `the PEM block ${block.label} in line ${block.line}`;
  if (cipher === undefined) {
    throw new FarmError(
      "CERTIFICATE_UNSUPPORTED",
      `${where} is encrypted with ${name === "" ? "nothing it names" : name}, which certfarm does not read`,
    );
  }
  const iv = Buffer.from(ivHex, "hex");
  if (iv.length !== cipher.ivSize) malformed(`${where} has an IV of ${iv.length} octets instead of ${cipher.ivSize}`);
  if (block.bytes.length % cipher.block !== 0) malformed(`${where} is not a whole number of cipher blocks`);
  const label = `PEM ${cipher.label} MD5`;
  const plain = await keys.open({ kind: "raw", cost: 1, what: where }, async (password) => {
    const found = cipher.decrypt(bytesToKey(password, iv, cipher.keySize), iv, block.bytes);
    return found !== undefined && isKey(found) ? found : undefined;
  });
  return { label, cipher, plain };
}

/** OpenSSL's EVP_BytesToKey with MD5, one iteration, and the first 8 octets of the IV as salt. */
function bytesToKey(password: Uint8Array, iv: Uint8Array, length: number): Uint8Array {
  let last: Uint8Array = new Uint8Array(0);
  const parts: Uint8Array[] = [];
  for (let have = 0; have < length; have += last.length) {
    last = hash("md5", Buffer.concat([last, password, iv.subarray(0, 8)]), "buffer");
    parts.push(last);
  }
  return Buffer.concat(parts).subarray(0, length);
}

/** A wrong password gives right padding once in 256 times, but not the structure of a key. */
function isKey(plain: Uint8Array): boolean {
  try {
    const { isDer } = scan(plain, 16);
    return isDer && keyFormOf(sequenceOf(readValue(plain), "the key")) !== undefined;
  } catch {
    return false;
  }
}
