import { FarmError } from "../base/index.ts";

/** A hash function as the PKCS#12 key derivation needs it: sizes in octets. */
export interface Hash {
  /** node:crypto's name. */
  readonly name: string;
  /** For people: `SHA1`, `SHA512/256`. */
  readonly label: string;
  readonly size: number;
  readonly block: number;
}

const SHA1: Hash = { name: "sha1", label: "SHA1", size: 20, block: 64 };
const MD5: Hash = { name: "md5", label: "MD5", size: 16, block: 64 };
const SHA224: Hash = { name: "sha224", label: "SHA224", size: 28, block: 64 };
const SHA256: Hash = { name: "sha256", label: "SHA256", size: 32, block: 64 };
const SHA384: Hash = { name: "sha384", label: "SHA384", size: 48, block: 128 };
const SHA512: Hash = { name: "sha512", label: "SHA512", size: 64, block: 128 };
const SHA512_224: Hash = { name: "sha512-224", label: "SHA512/224", size: 28, block: 128 };
const SHA512_256: Hash = { name: "sha512-256", label: "SHA512/256", size: 32, block: 128 };
const SHA3_224: Hash = { name: "sha3-224", label: "SHA3-224", size: 28, block: 144 };
const SHA3_256: Hash = { name: "sha3-256", label: "SHA3-256", size: 32, block: 136 };
const SHA3_384: Hash = { name: "sha3-384", label: "SHA3-384", size: 48, block: 104 };
const SHA3_512: Hash = { name: "sha3-512", label: "SHA3-512", size: 64, block: 72 };

/** The hashes that this room names in code. */
export const HASH = { md5: MD5, sha1: SHA1, sha256: SHA256 } as const;

/** Digest OIDs (RFC 8017, RFC 5754, RFC 8692) and the HMAC OIDs over the same digests (RFC 8018 appendix B.1). */
const BY_OID: Readonly<Record<string, Hash>> = {
  "1.2.840.113549.2.5": MD5,
  "1.3.14.3.2.26": SHA1,
  "2.16.840.1.101.3.4.2.1": SHA256,
  "2.16.840.1.101.3.4.2.2": SHA384,
  "2.16.840.1.101.3.4.2.3": SHA512,
  "2.16.840.1.101.3.4.2.4": SHA224,
  "2.16.840.1.101.3.4.2.5": SHA512_224,
  "2.16.840.1.101.3.4.2.6": SHA512_256,
  "2.16.840.1.101.3.4.2.7": SHA3_224,
  "2.16.840.1.101.3.4.2.8": SHA3_256,
  "2.16.840.1.101.3.4.2.9": SHA3_384,
  "2.16.840.1.101.3.4.2.10": SHA3_512,
  "1.2.840.113549.2.6": MD5,
  "1.2.840.113549.2.7": SHA1,
  "1.2.840.113549.2.8": SHA224,
  "1.2.840.113549.2.9": SHA256,
  "1.2.840.113549.2.10": SHA384,
  "1.2.840.113549.2.11": SHA512,
  "1.2.840.113549.2.12": SHA512_224,
  "1.2.840.113549.2.13": SHA512_256,
  "1.3.6.1.5.5.8.1.1": MD5,
  "1.3.6.1.5.5.8.1.2": SHA1,
  "2.16.840.1.101.3.4.2.13": SHA3_224,
  "2.16.840.1.101.3.4.2.14": SHA3_256,
  "2.16.840.1.101.3.4.2.15": SHA3_384,
  "2.16.840.1.101.3.4.2.16": SHA3_512,
};

/** Algorithms that occur in such files and are not read, so that a person is told more than numbers. */
const UNREAD_NAMES: Readonly<Record<string, string>> = {
  "1.2.643.2.2.9": "GOST R 34.11-94",
  "1.2.643.2.2.10": "HMAC-GOST R 34.11-94",
  "1.2.643.2.2.21": "GOST 28147-89",
  "1.2.643.7.1.1.2.2": "GOST R 34.11-2012 256",
  "1.2.643.7.1.1.2.3": "GOST R 34.11-2012 512",
  "1.2.643.7.1.1.4.1": "HMAC-GOST R 34.11-2012 256",
  "1.2.643.7.1.1.4.2": "HMAC-GOST R 34.11-2012 512",
  "1.2.643.7.1.1.5.1.1": "GOST R 34.12-2015 Magma CTR-ACPKM",
  "1.2.643.7.1.1.5.2.1": "GOST R 34.12-2015 Kuznyechik CTR-ACPKM",
  "1.2.643.2.2.19": "GOST R 34.10-2001",
  "1.2.643.7.1.1.1.1": "GOST R 34.10-2012 256",
  "1.2.643.7.1.1.1.2": "GOST R 34.10-2012 512",
  "1.2.156.10197.1.401": "SM3",
  "1.2.156.10197.1.104.2": "SM4-CBC",
  "1.3.36.3.2.1": "RIPEMD-160",
  "1.2.840.113549.2.2": "MD2",
  "1.2.840.113549.1.5.1": "pbeWithMD2AndDES-CBC",
  "1.2.840.113549.1.5.4": "pbeWithMD2AndRC2-CBC",
  "1.2.840.113549.3.9": "RC5-CBC-Pad",
  "1.2.410.200046.1.1.2": "ARIA-128-CBC",
  "1.2.410.200046.1.1.7": "ARIA-192-CBC",
  "1.2.410.200046.1.1.12": "ARIA-256-CBC",
  "1.2.410.200004.1.4": "SEED-CBC",
  "1.3.6.1.4.1.3029.1.2": "Blowfish-CBC",
  "1.2.840.113533.7.66.10": "CAST5-CBC",
  "1.3.6.1.4.1.188.7.1.1.2": "IDEA-CBC",
  "2.16.840.1.101.3.4.1.6": "AES-128-GCM",
  "2.16.840.1.101.3.4.1.26": "AES-192-GCM",
  "2.16.840.1.101.3.4.1.46": "AES-256-GCM",
  "1.2.840.10040.4.1": "DSA",
  "1.2.840.113549.1.3.1": "Diffie-Hellman",
  "1.2.840.10046.2.1": "Diffie-Hellman",
  "1.3.101.110": "X25519",
  "1.3.101.111": "X448",
  "1.3.101.113": "Ed448",
  "2.16.840.1.101.3.4.3.17": "ML-DSA-44",
  "2.16.840.1.101.3.4.3.18": "ML-DSA-65",
  "2.16.840.1.101.3.4.3.19": "ML-DSA-87",
};

/** A name for an OID that is not read, with the OID itself. */
function nameOfUnread(oid: string): string {
  const name = UNREAD_NAMES[oid];
  return name === undefined ? `OID ${oid}` : `${name} (OID ${oid})`;
}

/** @throws always CERTIFICATE_UNSUPPORTED naming `what` and the algorithm */
export function unsupported(what: string, oid: string): never {
  throw new FarmError("CERTIFICATE_UNSUPPORTED", `${what} uses ${nameOfUnread(oid)}, which certfarm does not read`);
}

/** The hash of a digest or HMAC OID. @throws CERTIFICATE_UNSUPPORTED */
export function hashOf(oid: string, what: string): Hash {
  return BY_OID[oid] ?? unsupported(what, oid);
}
