import { FarmError } from "../base/index.ts";
import type { Algorithm } from "./algorithm.ts";
import { childrenOf, oidOf, readNested, readValue, sequenceOf, TAG, type Tlv } from "./tlv.ts";
import type { KeyType } from "./types.ts";

/** What a key algorithm is for a TLS server. */
export interface KeyKind {
  readonly keyType: KeyType | "other";
  /** `RSA 2048`, `RSASSA-PSS 3072`, `P-256`, `Ed25519`, or the OID. */
  readonly keyName: string;
}

const KEY_OID = {
  rsa: "1.2.840.113549.1.1.1",
  rsaPss: "1.2.840.113549.1.1.10",
  ec: "1.2.840.10045.2.1",
  ed25519: "1.3.101.112",
} as const;

const CURVES: Readonly<Record<string, string>> = {
  "1.2.840.10045.3.1.7": "P-256",
  "1.3.132.0.34": "P-384",
  "1.3.132.0.35": "P-521",
};

/** Curves and algorithms that certificates occur with, but that browsers take from no TLS server. */
const OTHER_NAMES: Readonly<Record<string, string>> = {
  "1.3.132.0.10": "secp256k1",
  "1.3.132.0.33": "P-224",
  "1.2.840.10045.3.1.1": "P-192",
  "1.3.36.3.3.2.8.1.1.7": "brainpoolP256r1",
  "1.3.36.3.3.2.8.1.1.11": "brainpoolP384r1",
  "1.3.36.3.3.2.8.1.1.13": "brainpoolP512r1",
  "1.2.840.10040.4.1": "DSA",
  "1.3.101.110": "X25519",
  "1.3.101.111": "X448",
  "1.3.101.113": "Ed448",
  "1.2.643.2.2.19": "GOST R 34.10-2001",
  "1.2.643.7.1.1.1.1": "GOST R 34.10-2012 256",
  "1.2.643.7.1.1.1.2": "GOST R 34.10-2012 512",
  "2.16.840.1.101.3.4.3.17": "ML-DSA-44",
  "2.16.840.1.101.3.4.3.18": "ML-DSA-65",
  "2.16.840.1.101.3.4.3.19": "ML-DSA-87",
};

function curveKind(parameters: Tlv | undefined): KeyKind {
  if (parameters?.tag !== TAG.oid) return { keyType: "other", keyName: "EC with explicit parameters" };
  const oid = oidOf(parameters, "the curve");
  const name = CURVES[oid];
  return name === undefined ? { keyType: "other", keyName: OTHER_NAMES[oid] ?? `EC curve ${oid}` } : { keyType: "ecdsa", keyName: name };
}

/** The kind of a key whose RSA modulus has `rsaBits` bits; those are asked for only when it is an RSA key. */
export function keyKindOf({ oid, parameters }: Algorithm, rsaBits: () => number): KeyKind {
  switch (oid) {
    case KEY_OID.rsa:
      return { keyType: "rsa", keyName: `RSA ${rsaBits()}` };
    case KEY_OID.rsaPss:
      return { keyType: "rsa", keyName: `RSASSA-PSS ${rsaBits()}` };
    case KEY_OID.ec:
      return curveKind(parameters);
    case KEY_OID.ed25519:
      return { keyType: "ed25519", keyName: "Ed25519" };
    default:
      return { keyType: "other", keyName: OTHER_NAMES[oid] ?? oid };
  }
}

/** OpenSSL refuses to verify with larger moduli, and signing with one would take seconds. */
const MAX_RSA_BITS = 16_384;

/** Bits of an RSA modulus. @throws CERTIFICATE_TOO_COSTLY */
function bitsOf(value: Tlv | undefined): number {
  const digits = value?.body ?? new Uint8Array(0);
  const first = digits.findIndex((digit) => digit !== 0);
  const bits = first < 0 ? 0 : (digits.length - first) * 8 - Math.clz32(digits[first] ?? 0) + 24;
  if (bits > MAX_RSA_BITS) throw new FarmError("CERTIFICATE_TOO_COSTLY", `an RSA modulus of ${bits} bits; the limit is ${MAX_RSA_BITS}`);
  return bits;
}

/** Bits of the modulus in an RSAPublicKey (RFC 8017 appendix A.1.1). @throws CERTIFICATE_MALFORMED, CERTIFICATE_TOO_COSTLY */
export const rsaPublicKeyBits = (der: Uint8Array): number => bitsOf(sequenceOf(readNested(der), "the RSA public key")[0]);

/** Bits of the modulus in a PKCS#8 RSA key. @throws CERTIFICATE_MALFORMED, CERTIFICATE_TOO_COSTLY */
export function rsaPrivateKeyBits(pkcs8: Uint8Array): number {
  const [, , key] = childrenOf(readValue(pkcs8));
  return key === undefined ? 0 : bitsOf(sequenceOf(readNested(key.body), "the RSA private key")[1]);
}
