import { createHash, createPrivateKey, createPublicKey, generateKeyPair, type KeyObject } from "node:crypto";
import { promisify } from "node:util";

import { FarmError, Secret } from "../../base/index.ts";
import type { KeyType } from "../types.ts";

/** A key for which certificates are issued. */
export interface KeyPair {
  readonly privateKey: KeyObject;
  /** SubjectPublicKeyInfo, DER. */
  readonly spki: Buffer;
}

const generate = promisify(generateKeyPair);

/** Makes a key: RSA 2048, P-256 or Ed25519. In the thread pool: RSA takes some 100 ms. */
export async function makeKey(keyType: KeyType): Promise<KeyPair> {
  const { privateKey } = await madeBy(keyType);
  return pairOf(privateKey);
}

function madeBy(keyType: KeyType): Promise<{ privateKey: KeyObject }> {
  if (keyType === "rsa") return generate("rsa", { modulusLength: 2048 });
  return keyType === "ecdsa" ? generate("ec", { namedCurve: "P-256" }) : generate("ed25519");
}

const pairOf = (privateKey: KeyObject): KeyPair => ({
  privateKey,
  spki: createPublicKey(privateKey).export({ type: "spki", format: "der" }),
});

/** A key from PEM. @throws CERTIFICATE_MALFORMED */
export function readPemKey(pem: Secret): KeyPair {
  try {
    return pairOf(createPrivateKey(pem.reveal()));
  } catch (thrown) {
    throw new FarmError("CERTIFICATE_MALFORMED", "the given private key is not an unencrypted PEM key", { cause: thrown });
  }
}

/** The key as PKCS#8 PEM. */
export const pemOfKey = ({ privateKey }: KeyPair): Secret => new Secret(privateKey.export({ type: "pkcs8", format: "pem" }).toString());

/** A key identifier: SHA-1 over the public key's bits (RFC 5280 section 4.2.1.2, method 1). The last octets of an SPKI are those bits. */
export function keyIdentifierOf(bits: Uint8Array): Buffer {
  return createHash("sha1").update(bits).digest();
}
