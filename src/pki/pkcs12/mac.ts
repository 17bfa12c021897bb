import { createHmac, timingSafeEqual } from "node:crypto";

import { algorithmOf, type Algorithm } from "../algorithm.ts";
import { iterationsOf, readDerivation } from "../encryption-scheme.ts";
import { HASH, hashOf, type Hash } from "../hashes.ts";
import type { PasswordKind } from "../passwords.ts";
import { malformed, octetsOf, sequenceOf, type Tlv } from "../tlv.ts";
import { pkcs12Kdf, PURPOSE } from "./kdf.ts";

/** The integrity protection of a PKCS#12 file with its parameters read and checked; nothing is derived yet. */
export interface Mac {
  /** `MAC HMAC-SHA1 2000 iterations`, `PBMAC1 HMAC-SHA256, key HMAC-SHA256 2048 iterations`. */
  readonly label: string;
  readonly kind: PasswordKind;
  readonly cost: number;
  readonly isPbmac1: boolean;
  /** SHA-1 or MD5, which every reader knows. */
  readonly isOldHash: boolean;
  verify(password: Uint8Array, content: Uint8Array): Promise<boolean>;
}

const PBMAC1 = "1.2.840.113549.1.5.14";

/** Below this a forger can guess the MAC key (CVE-2026-34181); RFC 9579 section 6 leaves it to the reader. */
const LEAST_MAC_KEY = 16;
const MOST_MAC_KEY = 128;

/** Reads MacData (RFC 7292 section 4, RFC 9579). @throws CERTIFICATE_MALFORMED, CERTIFICATE_UNSUPPORTED */
export function readMac(macData: Tlv): Mac {
  const [digestInfo, saltValue, iterations] = sequenceOf(macData, "the MacData");
  const [algorithmValue, digestValue] = sequenceOf(digestInfo, "the MAC's DigestInfo");
  const algorithm = algorithmOf(algorithmValue, "the MAC algorithm");
  const expected = octetsOf(digestValue, "the MAC value");
  if (algorithm.oid === PBMAC1) return readPbmac1(algorithm, expected);
  const hash = hashOf(algorithm.oid, "the MAC");
  const salt = octetsOf(saltValue, "the MAC salt");
  return pkcs12Mac({ hash, salt, iterations: iterations === undefined ? 1 : iterationsOf(iterations, "the MAC"), expected });
}

function isOld(hash: Hash): boolean {
  return hash === HASH.sha1 || hash === HASH.md5;
}

function matches(hash: Hash, key: Uint8Array, content: Uint8Array, expected: Uint8Array): boolean {
  return timingSafeEqual(createHmac(hash.name, key).update(content).digest(), expected);
}

function requireWhole(hash: Hash, expected: Uint8Array): void {
  if (expected.length !== hash.size) malformed(`the MAC value has ${expected.length} octets where HMAC-${hash.label} has ${hash.size}`);
}

function pkcs12Mac(parts: { hash: Hash; salt: Uint8Array; iterations: number; expected: Uint8Array }): Mac {
  const { hash, salt, iterations, expected } = parts;
  requireWhole(hash, expected);
  return {
    label: `MAC HMAC-${hash.label} ${iterations} iterations`,
    kind: "bmp",
    cost: iterations,
    isPbmac1: false,
    isOldHash: isOld(hash),
    async verify(password, content) {
      const key = await pkcs12Kdf({ hash, password, salt, iterations, purpose: PURPOSE.mac, length: hash.size });
      return matches(hash, key, content, expected);
    },
  };
}

function readPbmac1({ parameters }: Algorithm, expected: Uint8Array): Mac {
  const [kdf, scheme] = sequenceOf(parameters, "the PBMAC1 parameters");
  const derivation = readDerivation(algorithmOf(kdf, "the PBMAC1 key derivation"));
  const hash = hashOf(algorithmOf(scheme, "the PBMAC1 message authentication").oid, "PBMAC1");
  const { keySize } = derivation;
  if (keySize === undefined) return malformed("PBMAC1 does not state its key length, which RFC 9579 section 5 demands");
  if (keySize < LEAST_MAC_KEY || keySize > MOST_MAC_KEY) {
    malformed(
      `PBMAC1 states a MAC key of ${keySize} octets; fewer than ${LEAST_MAC_KEY} protect nothing, more than ${MOST_MAC_KEY} make no sense`,
    );
  }
  requireWhole(hash, expected);
  return {
    label: `PBMAC1 HMAC-${hash.label}, key ${derivation.label}`,
    kind: "raw",
    cost: derivation.cost,
    isPbmac1: true,
    isOldHash: false,
    verify: async (password, content) => matches(hash, await derivation.derive(password, keySize), content, expected),
  };
}
