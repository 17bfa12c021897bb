import { createPublicKey, sign, verify, type KeyObject } from "node:crypto";

import { der } from "../der.ts";
import { DEFAULT_LIMITS } from "../limits.ts";
import { pemBlocks } from "../pem/blocks.ts";
import { encode, integerOf, malformed, oidOf, readValue, sequenceOf, TAG, toDefinite, type Tlv } from "../tlv.ts";
import { pemBlock } from "./certificate-pem.ts";

const OID = { commonName: "2.5.4.3", ecdsaWithSha256: "1.2.840.10045.4.3.2" } as const;
const LABEL = "CERTIFICATE REQUEST";
/** One for a P-256 key has some 400 octets. */
const MAX_BYTES = 8 * 1024;

/** A certification request (PKCS#10, RFC 2986) for a P-256 key, PEM. The common name is a word to people: authorities give names by what they know. */
export function makeCertificateRequest(key: KeyObject, commonName: string): string {
  const spki = createPublicKey(key).export({ type: "spki", format: "der" });
  const name = der.sequence(der.set(der.sequence(der.oid(OID.commonName), encode(0x0c, Buffer.from(commonName, "utf8")))));
  const info = der.sequence(der.integer(0), name, spki, der.context(0));
  const signature = sign("sha256", info, key);
  return pemBlock(LABEL, der.sequence(info, der.sequence(der.oid(OID.ecdsaWithSha256)), der.bits(signature)));
}

/**
 * The public key (SubjectPublicKeyInfo, DER) of a request whose signature proves that its maker has the private key.
 * @throws CERTIFICATE_MALFORMED for anything else, and for keys that are not P-256
 */
export function readCertificateRequest(pem: string): Buffer {
  if (pem.length > 2 * MAX_BYTES) malformed("the certification request is larger than any that is taken");
  const [block] = [...pemBlocks(Buffer.from(pem, "latin1"))];
  if (block === undefined || block.label !== LABEL) return malformed(`there is no PEM block ${LABEL}`);
  const { der: definite, rest } = toDefinite(block.bytes, DEFAULT_LIMITS.maxDepth);
  if (rest > 0) malformed(`${rest} octets after the end of the certification request`);
  const [info, algorithm, signature] = sequenceOf(readValue(definite), "the certification request");
  const [version, , publicKey] = sequenceOf(info, "the request's content");
  if (integerOf(version, "the request's version") !== 0) malformed("the certification request is of an unknown version");
  const [oid] = sequenceOf(algorithm, "the signature algorithm");
  if (oidOf(oid, "the signature algorithm") !== OID.ecdsaWithSha256)
    malformed("the certification request is not signed with ecdsa-with-SHA256");
  const spki = Buffer.from(publicKey?.raw ?? []);
  if (!verify("sha256", Buffer.from(info?.raw ?? []), p256Key(spki), bitsOf(signature))) {
    malformed("the certification request is not signed with the key that it is for");
  }
  return spki;
}

function p256Key(spki: Buffer): KeyObject {
  try {
    const key = createPublicKey({ key: spki, type: "spki", format: "der" });
    if (key.asymmetricKeyDetails?.namedCurve === "prime256v1") return key;
  } catch {
    // told below
  }
  return malformed("the certification request is not for a P-256 key");
}

function bitsOf(value: Tlv | undefined): Uint8Array {
  if (value?.tag !== TAG.bitString || value.body[0] !== 0) return malformed("the request's signature is not an ASN.1 BIT STRING");
  return value.body.subarray(1);
}
