import { algorithmOf, type Algorithm } from "./algorithm.ts";
import { childrenOf, encode, integerOf, malformed, octetsOf, sequenceOf, TAG, toDefinite, readValue, type Tlv } from "./tlv.ts";

/** A private key as PKCS#8 (RFC 5208), with what its attributes say about its use on Windows. */
export interface EncodedKey {
  /** Version 1, without attributes and without the public key of RFC 5958: the form that every OpenSSL reads. */
  readonly pkcs8: Uint8Array;
  readonly algorithm: Algorithm;
  /** The PKCS#8 attributes mark the key as AT_SIGNATURE (key usage 80), which SChannel does not use for RSA key exchange. */
  readonly isSignatureOnly: boolean;
}

const OID = {
  rsa: Uint8Array.of(6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1),
  ec: Uint8Array.of(6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1),
} as const;

/** 2.5.29.15 as its contents octets. */
const KEY_USAGE = "551d0f";
const NULL = Uint8Array.of(5, 0);
const VERSION_1 = Uint8Array.of(2, 1, 0);
const SEQUENCE = 0x30;
const OCTET_STRING = 4;

/** Builds PKCS#8 from an AlgorithmIdentifier and the key's own encoding. */
function wrapKey(algorithm: Uint8Array, key: Uint8Array): Uint8Array {
  return encode(SEQUENCE, VERSION_1, algorithm, encode(OCTET_STRING, key));
}

const isPkcs8 = (parts: readonly Tlv[]): boolean =>
  parts[0]?.tag === TAG.integer && parts[1]?.tag === TAG.sequence && parts[2]?.tag === TAG.octetString;
const isPkcs1 = (parts: readonly Tlv[]): boolean =>
  parts.length >= 9 && parts.every((part, index) => index > 8 || part.tag === TAG.integer);
const isSec1 = (parts: readonly Tlv[]): boolean => parts[0]?.tag === TAG.integer && parts[1]?.tag === TAG.octetString;
const isDsa = (parts: readonly Tlv[]): boolean => parts.length === 6 && parts.every((part) => part.tag === TAG.integer);

/** Which kind of unencrypted private key a DER value is, judged by its structure. */
export function keyFormOf(parts: readonly Tlv[]): "pkcs8" | "pkcs1" | "sec1" | "dsa" | undefined {
  if (isPkcs8(parts)) return "pkcs8";
  if (isPkcs1(parts)) return "pkcs1";
  if (isSec1(parts)) return "sec1";
  return isDsa(parts) ? "dsa" : undefined;
}

/**
 * A private key in PKCS#8, PKCS#1 (RFC 8017) or SEC1 (RFC 5915) form, BER or DER.
 * `curve` is the named curve of an `EC PARAMETERS` block, for SEC1 keys that do not name theirs.
 * @throws CERTIFICATE_MALFORMED, CERTIFICATE_TOO_COSTLY
 */
export function readKey(bytes: Uint8Array, maxDepth: number, curve?: Uint8Array): EncodedKey {
  const root = readValue(toDefinite(bytes, maxDepth).der);
  const parts = sequenceOf(root, "the private key");
  switch (keyFormOf(parts)) {
    case "pkcs8":
      return readPkcs8(parts);
    case "pkcs1":
      return wrapped(encode(SEQUENCE, OID.rsa, NULL), root.raw);
    case "sec1":
      return readSec1(root, parts, curve);
    case "dsa":
      return { pkcs8: root.raw, algorithm: { oid: "1.2.840.10040.4.1", parameters: undefined }, isSignatureOnly: false };
    default:
      return malformed("the private key is neither PKCS#8 nor PKCS#1 nor SEC1");
  }
}

function wrapped(algorithm: Uint8Array, key: Uint8Array): EncodedKey {
  return { pkcs8: wrapKey(algorithm, key), algorithm: algorithmOf(readValue(algorithm), "the key algorithm"), isSignatureOnly: false };
}

function readPkcs8([version, algorithm, key, ...optional]: readonly Tlv[]): EncodedKey {
  if (integerOf(version, "the PKCS#8 version") > 1) malformed("the PKCS#8 version is neither 1 nor 2");
  const attributes = optional.find((value) => value.tag === TAG.context0 && value.constructed);
  const read = algorithmOf(algorithm, "the key algorithm");
  const pkcs8 = wrapKey(algorithm?.raw ?? NULL, octetsOf(key, "the private key"));
  return { pkcs8, algorithm: read, isSignatureOnly: attributes !== undefined && isSignatureKey(attributes) };
}

/** Windows keeps the KeySpec of a CryptoAPI key as an X.509 key usage among the PKCS#8 attributes: 10 exchange, 80 signature. */
function isSignatureKey(attributes: Tlv): boolean {
  return childrenOf(attributes).some((attribute) => {
    const [type, values] = childrenOf(attribute);
    if (type === undefined || values === undefined || Buffer.from(type.body).toString("hex") !== KEY_USAGE) return false;
    return childrenOf(values).some((usage) => usage.tag === TAG.bitString && usage.body[1] === 0x80);
  });
}

function readSec1(root: Tlv, parts: readonly Tlv[], curve: Uint8Array | undefined): EncodedKey {
  const own = parts.find((part) => part.tag === TAG.context0 && part.constructed)?.body;
  const parameters = own ?? curve;
  if (parameters === undefined) return malformed("the EC private key names no curve");
  return wrapped(encode(SEQUENCE, OID.ec, parameters), root.raw);
}
