import { hash as digest, pbkdf2, scrypt } from "node:crypto";
import { promisify } from "node:util";

import { FarmError } from "../base/index.ts";
import { algorithmOf, type Algorithm } from "./algorithm.ts";
import { CIPHER, rc2Cbc, rc4Stream, type Cipher } from "./ciphers/cipher.ts";
import { HASH, hashOf, unsupported, type Hash } from "./hashes.ts";
import type { PasswordKind } from "./passwords.ts";
import { pkcs12Kdf, PURPOSE } from "./pkcs12/kdf.ts";
import { integerOf, malformed, octetsOf, sequenceOf, TAG, type Tlv } from "./tlv.ts";

/** A password-based encryption scheme with its parameters read and checked; nothing is derived yet. */
export interface EncryptionScheme {
  /** `pbeWithSHA1And40BitRC2-CBC`, `PBES2 AES-256-CBC HMAC-SHA256 2048 iterations`. */
  readonly label: string;
  readonly kind: PasswordKind;
  /** Iterations that the file states for it; what one attempt runs is at most three times that. */
  readonly cost: number;
  readonly cipher: Cipher;
  readonly isPbes2: boolean;
  /** Plain text, or undefined with a wrong password. */
  decrypt(password: Uint8Array, data: Uint8Array): Promise<Uint8Array | undefined>;
}

interface KeyAndIv {
  readonly key: Uint8Array;
  readonly iv: Uint8Array;
}

const pbkdf2Async = promisify(pbkdf2);
const scryptAsync = promisify<Uint8Array, Uint8Array, number, { N: number; r: number; p: number; maxmem: number }, Buffer>(scrypt);

function scheme(parts: Omit<EncryptionScheme, "decrypt">, derive: (password: Uint8Array) => Promise<KeyAndIv>): EncryptionScheme {
  const { cipher, label } = parts;
  return {
    ...parts,
    async decrypt(password, data) {
      if (data.length === 0 || data.length % cipher.block !== 0) {
        malformed(`${data.length} octets encrypted with ${label} are not a whole number of blocks of ${cipher.block}`);
      }
      const { key, iv } = await derive(password);
      return cipher.decrypt(key, iv, data);
    },
  };
}

/** Salt and iterations of PBES1 and the PKCS#12 schemes (RFC 8018 appendix A.3). */
function pbeParameters({ parameters }: Algorithm, label: string): { salt: Uint8Array; iterations: number } {
  const [salt, iterations] = sequenceOf(parameters, `the parameters of ${label}`);
  return { salt: octetsOf(salt, `the salt of ${label}`), iterations: iterationsOf(iterations, label) };
}

/** An iteration count of at least 1. @throws CERTIFICATE_MALFORMED */
export function iterationsOf(value: Tlv | undefined, label: string): number {
  const iterations = integerOf(value, `the iteration count of ${label}`);
  return iterations > 0 ? iterations : malformed(`the iteration count of ${label} is 0`);
}

/** RFC 7292 appendix C. */
const PKCS12_SCHEMES: Readonly<Record<string, readonly [label: string, cipher: Cipher]>> = {
  "1.2.840.113549.1.12.1.1": ["pbeWithSHA1And128BitRC4", rc4Stream(16)],
  "1.2.840.113549.1.12.1.2": ["pbeWithSHA1And40BitRC4", rc4Stream(5)],
  "1.2.840.113549.1.12.1.3": ["pbeWithSHA1And3-KeyTripleDES-CBC", CIPHER.tripleDes],
  "1.2.840.113549.1.12.1.4": ["pbeWithSHA1And2-KeyTripleDES-CBC", CIPHER.twoKeyTripleDes],
  "1.2.840.113549.1.12.1.5": ["pbeWithSHA1And128BitRC2-CBC", rc2Cbc(16, 128)],
  "1.2.840.113549.1.12.1.6": ["pbeWithSHA1And40BitRC2-CBC", rc2Cbc(5, 40)],
};

/** RFC 8018 appendix A.3: older than PKCS#12, still written by `openssl pkcs8 -v1`. */
const PBES1_SCHEMES: Readonly<Record<string, readonly [label: string, hash: Hash, cipher: Cipher]>> = {
  "1.2.840.113549.1.5.3": ["pbeWithMD5AndDES-CBC", HASH.md5, CIPHER.des],
  "1.2.840.113549.1.5.6": ["pbeWithMD5AndRC2-CBC", HASH.md5, rc2Cbc(8, 64)],
  "1.2.840.113549.1.5.10": ["pbeWithSHA1AndDES-CBC", HASH.sha1, CIPHER.des],
  "1.2.840.113549.1.5.11": ["pbeWithSHA1AndRC2-CBC", HASH.sha1, rc2Cbc(8, 64)],
};

const PBES2 = "1.2.840.113549.1.5.13";

/** The scheme of an AlgorithmIdentifier. @throws CERTIFICATE_UNSUPPORTED, CERTIFICATE_MALFORMED, CERTIFICATE_TOO_COSTLY */
export function readEncryptionScheme(algorithm: Algorithm): EncryptionScheme {
  if (algorithm.oid === PBES2) return readPbes2(algorithm.parameters);
  const own = PKCS12_SCHEMES[algorithm.oid];
  if (own !== undefined) return readPkcs12Scheme(algorithm, own);
  const old = PBES1_SCHEMES[algorithm.oid];
  return old === undefined ? unsupported("the encryption", algorithm.oid) : readPbes1(algorithm, old);
}

function readPkcs12Scheme(algorithm: Algorithm, [label, cipher]: readonly [string, Cipher]): EncryptionScheme {
  const { salt, iterations } = pbeParameters(algorithm, label);
  const hash = HASH.sha1;
  return scheme({ label, kind: "bmp", cost: iterations, cipher, isPbes2: false }, async (password) => {
    const derive = (purpose: 1 | 2, length: number) => pkcs12Kdf({ hash, password, salt, iterations, purpose, length });
    return { key: await derive(PURPOSE.key, cipher.keySize), iv: await derive(PURPOSE.iv, cipher.ivSize) };
  });
}

function readPbes1(algorithm: Algorithm, [label, hash, cipher]: readonly [string, Hash, Cipher]): EncryptionScheme {
  const { salt, iterations } = pbeParameters(algorithm, label);
  return scheme({ label, kind: "raw", cost: iterations, cipher, isPbes2: false }, async (password) => {
    let value: Uint8Array = Buffer.concat([password, salt]);
    for (let done = 0; done < iterations; done++) value = digest(hash.name, value, "buffer");
    return { key: value.subarray(0, 8), iv: value.subarray(8, 16) };
  });
}

const PBES2_CIPHERS: Readonly<Record<string, Cipher>> = {
  "2.16.840.1.101.3.4.1.2": CIPHER.aes128,
  "2.16.840.1.101.3.4.1.22": CIPHER.aes192,
  "2.16.840.1.101.3.4.1.42": CIPHER.aes256,
  "1.2.840.113549.3.7": CIPHER.tripleDes,
  "1.3.14.3.2.7": CIPHER.des,
  "1.2.392.200011.61.1.1.1.2": CIPHER.camellia128,
  "1.2.392.200011.61.1.1.1.3": CIPHER.camellia192,
  "1.2.392.200011.61.1.1.1.4": CIPHER.camellia256,
};

const RC2_CBC = "1.2.840.113549.3.2";

/** RC2ParameterVersion of RFC 8018 appendix B.2.3; from 256 on it is the number of bits itself. */
const RC2_BITS: Readonly<Record<number, number>> = { 160: 40, 120: 64, 58: 128 };

function readCipher(algorithm: Algorithm): { cipher: Cipher; iv: Uint8Array } {
  if (algorithm.oid === RC2_CBC) return readRc2(algorithm);
  const cipher = PBES2_CIPHERS[algorithm.oid] ?? unsupported("the PBES2 encryption", algorithm.oid);
  return { cipher, iv: ivOf(algorithm.parameters, cipher) };
}

function readRc2({ parameters }: Algorithm): { cipher: Cipher; iv: Uint8Array } {
  if (parameters?.tag === TAG.octetString) return { cipher: rc2Cbc(4, 32), iv: ivOf(parameters, rc2Cbc(4, 32)) };
  const parts = sequenceOf(parameters, "the RC2 parameters");
  const version = parts.length > 1 ? integerOf(parts[0], "the RC2 parameter version") : undefined;
  const bits = version === undefined ? 32 : version >= 256 ? version : (RC2_BITS[version] ?? 0);
  if (bits < 8 || bits > 1024) unsupported(`RC2 with parameter version ${version ?? "none"}`, RC2_CBC);
  const cipher = rc2Cbc(Math.ceil(bits / 8), bits);
  return { cipher, iv: ivOf(parts.at(-1), cipher) };
}

function ivOf(value: Tlv | undefined, cipher: Cipher): Uint8Array {
  const iv = octetsOf(value, `the IV of ${cipher.label}`);
  return iv.length === cipher.ivSize ? iv : malformed(`the IV of ${cipher.label} has ${iv.length} octets instead of ${cipher.ivSize}`);
}

function readPbes2(parameters: Tlv | undefined): EncryptionScheme {
  const [kdf, encryption] = sequenceOf(parameters, "the PBES2 parameters");
  const { cipher, iv } = readCipher(algorithmOf(encryption, "the PBES2 encryption scheme"));
  const derivation = readDerivation(algorithmOf(kdf, "the PBES2 key derivation"));
  const { keySize } = cipher;
  if (derivation.keySize !== undefined && derivation.keySize !== keySize) {
    malformed(`PBES2 derives a key of ${derivation.keySize} octets where ${cipher.label} takes ${keySize}`);
  }
  const label = `PBES2 ${cipher.label} ${derivation.label}`;
  const { cost } = derivation;
  return scheme({ label, kind: "raw", cost, cipher, isPbes2: true }, async (password) => ({
    key: await derivation.derive(password, keySize),
    iv,
  }));
}

/** A key derivation of RFC 8018 or RFC 7914 with its parameters. */
export interface Derivation {
  readonly label: string;
  readonly cost: number;
  /** The key length in octets that the file states, if it does. */
  readonly keySize: number | undefined;
  derive(password: Uint8Array, length: number): Promise<Uint8Array>;
}

const PBKDF2 = "1.2.840.113549.1.5.12";
const SCRYPT = "1.3.6.1.4.1.11591.4.11";

/** @throws CERTIFICATE_UNSUPPORTED, CERTIFICATE_MALFORMED, CERTIFICATE_TOO_COSTLY */
export function readDerivation(algorithm: Algorithm): Derivation {
  if (algorithm.oid === PBKDF2) return readPbkdf2(algorithm.parameters);
  return algorithm.oid === SCRYPT ? readScrypt(algorithm.parameters) : unsupported("the key derivation", algorithm.oid);
}

function readPbkdf2(parameters: Tlv | undefined): Derivation {
  const [saltValue, iterationsValue, ...optional] = sequenceOf(parameters, "the PBKDF2 parameters");
  const salt = octetsOf(saltValue, "the PBKDF2 salt");
  const iterations = iterationsOf(iterationsValue, "PBKDF2");
  const sizeValue = optional.find((value) => value.tag === TAG.integer);
  const prf = optional.find((value) => value.tag === TAG.sequence);
  const hash = prf === undefined ? HASH.sha1 : hashOf(algorithmOf(prf, "the PBKDF2 PRF").oid, "PBKDF2");
  return {
    label: `HMAC-${hash.label} ${iterations} iterations`,
    cost: iterations,
    keySize: sizeValue === undefined ? undefined : integerOf(sizeValue, "the PBKDF2 key length"),
    derive: (password, length) => pbkdf2Async(password, salt, iterations, length, hash.name),
  };
}

/** Octets: twice the N=32768, r=8 that OpenSSL writes at most. */
const SCRYPT_MEMORY_LIMIT = 64 * 1024 * 1024;

function readScrypt(parameters: Tlv | undefined): Derivation {
  const [saltValue, cost, blockSize, parallel, size] = sequenceOf(parameters, "the scrypt parameters");
  const salt = octetsOf(saltValue, "the scrypt salt");
  const n = integerOf(cost, "the scrypt cost");
  const r = integerOf(blockSize, "the scrypt block size");
  const p = integerOf(parallel, "the scrypt parallelization");
  if (n < 2 || !Number.isInteger(Math.log2(n)) || r < 1 || p < 1)
    malformed(`scrypt parameters N=${n} r=${r} p=${p} are not allowed by RFC 7914`);
  if (128 * n * r > SCRYPT_MEMORY_LIMIT) {
    throw new FarmError(
      "CERTIFICATE_TOO_COSTLY",
      `scrypt with N=${n} r=${r} asks for ${128 * n * r} octets of memory; the limit is ${SCRYPT_MEMORY_LIMIT}`,
    );
  }
  return {
    label: `scrypt N=${n} r=${r} p=${p}`,
    cost: n * r * p,
    keySize: size === undefined ? undefined : integerOf(size, "the scrypt key length"),
    derive: (password, length) => scryptAsync(password, salt, length, { N: n, r, p, maxmem: SCRYPT_MEMORY_LIMIT * 2 }),
  };
}
