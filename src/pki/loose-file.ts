import { FarmError } from "../base/index.ts";
import { algorithmOf } from "./algorithm.ts";
import type { Contents, HeldCertificate, HeldKey, ProtectionTrait } from "./contents.ts";
import { openEncrypted } from "./encrypted.ts";
import { readKey } from "./key-encoding.ts";
import type { KeyRing } from "./passwords.ts";
import { pemBlocks, type PemBlock } from "./pem/blocks.ts";
import { isEncryptedBlock, openEncryptedBlock } from "./pem/encrypted-block.ts";
import { malformed, octetsOf, readValue, sequenceOf, TAG, toDefinite, type Tlv } from "./tlv.ts";
import type { ReadLimits } from "./types.ts";

const CERTIFICATE_LABELS: ReadonlySet<string> = new Set(["CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE"]);
const KEY_LABELS: ReadonlySet<string> = new Set(["PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY", "DSA PRIVATE KEY", "ANY PRIVATE KEY"]);

/** PEM blocks of other kinds that may stand beside each certificate and key. */
const BLOCKS_PER_ITEM = 4;

/** Gathers certificates and keys that stand side by side: PEM blocks or DER values, from one file or two. */
export class LooseReading {
  readonly #keys: KeyRing;
  readonly #limits: ReadLimits;
  readonly #certificates: HeldCertificate[] = [];
  readonly #privateKeys: HeldKey[] = [];
  readonly #protection = new Set<string>();
  readonly #traits = new Set<ProtectionTrait>();
  readonly #warnings = new Set<string>();
  #curve: Uint8Array | undefined;

  constructor(keys: KeyRing, limits: ReadLimits) {
    this.#keys = keys;
    this.#limits = limits;
  }

  /** Adds what a PEM text holds. @throws CERTIFICATE_* */
  async addPem(bytes: Uint8Array): Promise<void> {
    let blocks = 0;
    for (const block of pemBlocks(bytes)) {
      if (++blocks > this.#limits.maxItems * BLOCKS_PER_ITEM) {
        throw new FarmError("CERTIFICATE_TOO_COSTLY", `the file holds more than ${this.#limits.maxItems * BLOCKS_PER_ITEM} PEM blocks`);
      }
      try {
        await this.#addBlock(block);
      } catch (thrown) {
        if (!(thrown instanceof FarmError)) throw thrown;
        throw new FarmError(thrown.code, `PEM block ${block.label} in line ${block.line}: ${thrown.message}`, { cause: thrown });
      }
    }
  }

  /** Adds a DER value by its structure. @throws CERTIFICATE_* */
  async addDer(value: Tlv): Promise<void> {
    const parts = sequenceOf(value, "the file");
    const [first, second] = parts;
    if (first?.tag === TAG.sequence && second?.tag === TAG.octetString) await this.#addEncryptedKey(value);
    else if (first?.tag === TAG.sequence) this.#addCertificate(value.raw);
    else if (first?.tag === TAG.oid)
      throw new FarmError("CERTIFICATE_UNSUPPORTED", "the file is PKCS#7 (CMS), which never holds a private key and is not read");
    else this.#addKey(value.raw);
  }

  /** What was found so far. */
  contents(): Contents {
    return {
      format: "pem",
      certificates: this.#certificates,
      keys: this.#privateKeys,
      protection: [...this.#protection],
      traits: this.#traits,
      warnings: [...this.#warnings],
      isAuthenticated: false,
    };
  }

  async #addBlock(block: PemBlock): Promise<void> {
    const { label, bytes } = block;
    if (CERTIFICATE_LABELS.has(label)) this.#addCertificate(bytes);
    else if (label === "ENCRYPTED PRIVATE KEY") await this.#addEncryptedKey(readValue(toDefinite(bytes, this.#limits.maxDepth).der));
    else if (KEY_LABELS.has(label)) this.#addKey(isEncryptedBlock(block) ? await this.#decrypt(block) : bytes);
    else if (label === "EC PARAMETERS") this.#curve = readValue(toDefinite(bytes, this.#limits.maxDepth).der).raw;
    else if (label.endsWith("PRIVATE KEY")) throw new FarmError("CERTIFICATE_UNSUPPORTED", `keys in the form ${label} are not read`);
    else this.#warnings.add(`a PEM block ${label} was passed over`);
  }

  async #decrypt(block: PemBlock): Promise<Uint8Array> {
    const { label, cipher, plain } = await openEncryptedBlock(block, this.#keys);
    this.#protection.add(label);
    if (cipher.legacy) this.#traits.add("legacy-cipher");
    return plain ?? this.#refusePasswords(label);
  }

  async #addEncryptedKey(value: Tlv): Promise<void> {
    const [algorithm, data] = sequenceOf(value, "the encrypted key");
    const encrypted = {
      algorithm: algorithmOf(algorithm, "the key's encryption"),
      data: octetsOf(data, "the encrypted key"),
      what: "the key",
    };
    const { scheme, plain } = await openEncrypted(encrypted, this.#keys);
    this.#protection.add(scheme.label);
    if (scheme.cipher.legacy) this.#traits.add("legacy-cipher");
    this.#addKey(plain ?? this.#refusePasswords(scheme.label));
  }

  #refusePasswords(label: string): never {
    throw new FarmError(
      "CERTIFICATE_PASSWORD_WRONG",
      `the key encrypted with ${label} does not decrypt with ${this.#keys.describe()} (or it is damaged)`,
    );
  }

  #addCertificate(bytes: Uint8Array): void {
    this.#count();
    // OpenSSL's TRUSTED CERTIFICATE has trust settings after the certificate: only the first value counts.
    this.#certificates.push({ der: readValue(toDefinite(bytes, this.#limits.maxDepth).der).raw });
  }

  #addKey(bytes: Uint8Array): void {
    this.#count();
    const { pkcs8, algorithm } = readKey(bytes, this.#limits.maxDepth, this.#curve);
    this.#privateKeys.push({ pkcs8, algorithm });
  }

  #count(): void {
    if (this.#certificates.length + this.#privateKeys.length >= this.#limits.maxItems) {
      throw new FarmError("CERTIFICATE_TOO_COSTLY", `the file holds more than ${this.#limits.maxItems} certificates and keys`);
    }
  }
}

/** Whether a DER value is a PKCS#12 file: version and a ContentInfo, where PKCS#8 has a third field of octets. */
export function isPfx(value: Tlv): boolean {
  const [version, content, third] = value.tag === TAG.sequence && value.constructed ? sequenceOf(value, "the file") : [];
  return version?.tag === TAG.integer && content?.tag === TAG.sequence && third?.tag !== TAG.octetString;
}

const JKS_MAGIC: ReadonlySet<string> = new Set(["feedfeed", "cececece"]);

/** @throws always: CERTIFICATE_UNSUPPORTED for a Java key store, else CERTIFICATE_MALFORMED saying what was seen */
export function refuseUnknown(bytes: Uint8Array): never {
  const magic = Buffer.from(bytes.subarray(0, 4)).toString("hex");
  if (JKS_MAGIC.has(magic))
    throw new FarmError("CERTIFICATE_UNSUPPORTED", "the file is a Java key store (JKS or JCEKS), which is not read");
  return malformed(`the file is neither PKCS#12, PEM nor DER: it begins with the octets ${magic}`);
}
