import { createPrivateKey, sign, verify, X509Certificate, type KeyObject } from "node:crypto";

import { certificateFacts } from "./certificate.ts";
import type { HeldCertificate, HeldKey } from "./contents.ts";
import { keyKindOf, rsaPrivateKeyBits, type KeyKind } from "./key-kind.ts";
import { malformed } from "./tlv.ts";
import type { CertificateFacts } from "./types.ts";

/** A certificate of a file, parsed by OpenSSL and by this room. */
export interface ParsedCertificate {
  readonly held: HeldCertificate;
  readonly x509: X509Certificate;
  readonly facts: CertificateFacts;
}

/** A private key of a file; `key` is undefined when OpenSSL does not know its algorithm. */
export interface ParsedKey {
  readonly held: HeldKey;
  readonly kind: KeyKind;
  readonly key: KeyObject | undefined;
}

/** @throws CERTIFICATE_MALFORMED */
export function parseCertificate(held: HeldCertificate): ParsedCertificate {
  const facts = certificateFacts(held.der);
  try {
    return { held, x509: new X509Certificate(held.der), facts };
  } catch {
    return malformed(`the certificate ${facts.subject} (${facts.thumbprint}) is not one that OpenSSL reads`);
  }
}

/** @throws CERTIFICATE_MALFORMED when a key of a known kind is not valid */
export function parseKey(held: HeldKey): ParsedKey {
  const kind = keyKindOf(held.algorithm, () => rsaPrivateKeyBits(held.pkcs8));
  try {
    return { held, kind, key: createPrivateKey({ key: Buffer.from(held.pkcs8), format: "der", type: "pkcs8" }) };
  } catch {
    if (kind.keyType === "other") return { held, kind, key: undefined };
    return malformed(`the ${kind.keyName} private key is damaged`);
  }
}

/** A certificate and its key. */
export interface Pair {
  readonly certificate: ParsedCertificate;
  readonly key: ParsedKey;
}

function belongTogether({ x509 }: ParsedCertificate, { key }: ParsedKey): boolean {
  try {
    return key !== undefined && x509.checkPrivateKey(key);
  } catch {
    return false;
  }
}

/** Every certificate with the key whose public half it certifies. */
export function findPairs(certificates: readonly ParsedCertificate[], keys: readonly ParsedKey[]): Pair[] {
  return certificates.flatMap((certificate) => {
    const key = keys.find((each) => belongTogether(certificate, each));
    return key === undefined ? [] : [{ certificate, key }];
  });
}

const isValidAt = ({ facts }: ParsedCertificate, now: number): boolean => facts.notBefore <= now && now <= facts.notAfter;

/**
 * Order of preference among certificates that could serve: usable keys, then end-entity before CA, valid now before not,
 * the later notAfter, the order of the file.
 */
export function compareLeaves(one: ParsedCertificate, other: ParsedCertificate, now: number): number {
  return (
    Number(one.facts.keyType === "other") - Number(other.facts.keyType === "other") ||
    Number(one.facts.isCa) - Number(other.facts.isCa) ||
    Number(isValidAt(other, now)) - Number(isValidAt(one, now)) ||
    other.facts.notAfter - one.facts.notAfter
  );
}

const CHALLENGE = Buffer.from("certfarm proves that a private key works");

/**
 * Whether the private key really signs for the certificate. Public halves can agree while the secret half is damaged;
 * a MAC excludes that, so only keys without one are tried. About 1 ms for RSA 2048.
 */
export function provesItself({ certificate, key }: Pair): boolean {
  if (key.key === undefined) return false;
  try {
    const digest = key.kind.keyType === "ed25519" ? null : "sha256";
    return verify(digest, CHALLENGE, certificate.x509.publicKey, sign(digest, CHALLENGE, key.key));
  } catch {
    return false;
  }
}
