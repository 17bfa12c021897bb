import { generateKeyPair, type KeyObject } from "node:crypto";
import { promisify } from "node:util";

import { Secret } from "../base/index.ts";
import { makeCertificateRequest } from "../pki/index.ts";

const generate = promisify(generateKeyPair);

/** A P-256 key that was made here, and the request by which an authority certifies it. */
export interface IdentityKey {
  readonly key: KeyObject;
  /** PKCS#8. */
  readonly keyPem: Secret;
  /** PKCS#10, PEM. */
  readonly requestPem: string;
}

/** Makes a key that no other machine ever sees. `who` is a word to people. */
export async function makeIdentityKey(who: string): Promise<IdentityKey> {
  const { privateKey } = await generate("ec", { namedCurve: "P-256" });
  return requestFor(privateKey, who);
}

/** The request for a key that was made earlier. */
export function requestFor(key: KeyObject, who: string): IdentityKey {
  return { key, keyPem: keyPemOf(key), requestPem: makeCertificateRequest(key, who) };
}

/** A private key as PKCS#8 PEM. */
export const keyPemOf = (key: KeyObject): Secret => new Secret(key.export({ type: "pkcs8", format: "pem" }).toString());
