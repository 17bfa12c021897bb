import { FarmError } from "../../base/index.ts";
import { algorithmOf } from "../algorithm.ts";
import type { Contents, HeldCertificate, HeldKey, ProtectionTrait } from "../contents.ts";
import { openEncrypted, type Opened } from "../encrypted.ts";
import { readKey } from "../key-encoding.ts";
import type { KeyRing } from "../passwords.ts";
import { childrenOf, integerOf, malformed, octetsOf, oidOf, readValue, sequenceOf, TAG, toDefinite, type Tlv } from "../tlv.ts";
import type { ReadLimits } from "../types.ts";
import { BAG, certificateOf, readBag, type Bag } from "./bags.ts";
import { readMac } from "./mac.ts";

/** PKCS#7 content types (RFC 2315 section 14). */
const CONTENT = {
  data: "1.2.840.113549.1.7.1",
  signedData: "1.2.840.113549.1.7.2",
  envelopedData: "1.2.840.113549.1.7.3",
  encryptedData: "1.2.840.113549.1.7.6",
} as const;

const CONTENT_NAMES: Readonly<Record<string, string>> = {
  [CONTENT.signedData]: "signedData (public-key integrity mode)",
  [CONTENT.envelopedData]: "envelopedData (public-key privacy mode)",
};

/** Reads a PKCS#12 file (RFC 7292), its integrity first. @throws CERTIFICATE_* */
export async function readPfx(bytes: Uint8Array, keys: KeyRing, limits: ReadLimits): Promise<Contents> {
  return await new PfxReading(keys, limits).read(bytes);
}

/** The state of reading one file: what was found so far. */
class PfxReading {
  readonly #keys: KeyRing;
  readonly #limits: ReadLimits;
  readonly #certificates: HeldCertificate[] = [];
  readonly #privateKeys: HeldKey[] = [];
  readonly #protection = new Set<string>();
  readonly #traits = new Set<ProtectionTrait>(["pkcs12"]);
  readonly #warnings = new Set<string>();
  #items = 0;
  #isAuthenticated = false;

  constructor(keys: KeyRing, limits: ReadLimits) {
    this.#keys = keys;
    this.#limits = limits;
  }

  async read(bytes: Uint8Array): Promise<Contents> {
    const { root, rest } = this.#parse(bytes);
    if (rest > 0) this.#warnings.add(`${rest} octets after the end of the PKCS#12 data`);
    const [version, authSafe, macData] = sequenceOf(root, "the PFX");
    const number = integerOf(version, "the PFX version");
    if (number !== 3) malformed(`the PFX version is ${number}; only 3 exists (RFC 7292)`);
    const content = contentOf(authSafe, CONTENT.data, "the PFX's AuthenticatedSafe");
    await this.#verify(macData, octetsOf(content, "the AuthenticatedSafe"));
    const safes = this.#parse(octetsOf(content, "the AuthenticatedSafe")).root;
    for (const safe of sequenceOf(safes, "the AuthenticatedSafe")) await this.#readSafe(safe);
    return {
      format: "pkcs12",
      certificates: this.#certificates,
      keys: this.#privateKeys,
      protection: [...this.#protection],
      traits: this.#traits,
      warnings: [...this.#warnings],
      isAuthenticated: this.#isAuthenticated,
    };
  }

  #parse(bytes: Uint8Array): { root: Tlv; rest: number } {
    const { der, rest } = toDefinite(bytes, this.#limits.maxDepth);
    return { root: readValue(der), rest };
  }

  /** Nothing in the file is trusted before its MAC, when it has one, was verified with one of the passwords. */
  async #verify(macData: Tlv | undefined, content: Uint8Array): Promise<void> {
    if (macData === undefined) {
      this.#traits.add("no-mac");
      this.#protection.add("no MAC");
      return;
    }
    const mac = readMac(macData);
    const matched = await this.#keys.open({ kind: mac.kind, cost: mac.cost, what: `the ${mac.label}` }, async (password) =>
      (await mac.verify(password, content)) ? true : undefined,
    );
    if (matched === undefined) this.#refusePasswords(`the ${mac.label} does not verify`);
    this.#isAuthenticated = true;
    this.#protection.add(mac.label);
    if (mac.isPbmac1) this.#traits.add("pbmac1");
    if (!mac.isOldHash) this.#traits.add("sha2-mac");
  }

  #refusePasswords(what: string): never {
    const tried = this.#keys.describe();
    throw new FarmError("CERTIFICATE_PASSWORD_WRONG", `${what} with ${tried} (or the file is damaged)`);
  }

  async #readSafe(safe: Tlv): Promise<void> {
    const [type] = sequenceOf(safe, "a ContentInfo");
    const oid = oidOf(type, "a ContentInfo's type");
    if (oid === CONTENT.data) {
      const content = contentOf(safe, CONTENT.data, "a safe");
      await this.#readBags(this.#parse(octetsOf(content, "a safe")).root);
      return;
    }
    const [, encryptedContent] = sequenceOf(contentOf(safe, CONTENT.encryptedData, "a safe"), "the EncryptedData");
    const [, algorithm, data] = sequenceOf(encryptedContent, "the EncryptedContentInfo");
    const opened = await openEncrypted(
      { algorithm: algorithmOf(algorithm, "a safe's encryption"), data: implicitOctets(data), what: "a safe" },
      this.#keys,
    );
    await this.#readBags(this.#parse(this.#accept(opened, "a safe")).root);
  }

  #accept({ scheme, plain }: Opened, what: string): Uint8Array {
    this.#protection.add(scheme.label);
    if (scheme.isPbes2) this.#traits.add("pbes2");
    if (scheme.cipher.legacy) this.#traits.add("legacy-cipher");
    if (plain !== undefined) return plain;
    if (this.#isAuthenticated) {
      malformed(
        `the MAC is right, but ${what} encrypted with ${scheme.label} does not decrypt: it was damaged before the file was sealed, or has a password of its own`,
      );
    }
    return this.#refusePasswords(`${what} encrypted with ${scheme.label} does not decrypt`);
  }

  /** Walks nested SafeContents with a list of its own: their depth was bounded by the scan. */
  async #readBags(root: Tlv): Promise<void> {
    const pending: Tlv[] = [...sequenceOf(root, "the SafeContents")].reverse();
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      this.#count();
      const bag = readBag(next);
      if (bag.type === BAG.safeContents) pending.push(...sequenceOf(bag.value, "a nested SafeContents").reverse());
      else await this.#readOne(bag);
    }
  }

  #count(): void {
    this.#items++;
    if (this.#items > this.#limits.maxItems) {
      throw new FarmError("CERTIFICATE_TOO_COSTLY", `the file holds more than ${this.#limits.maxItems} certificates, keys and other bags`);
    }
  }

  async #readOne(bag: Bag): Promise<void> {
    switch (bag.type) {
      case BAG.certificate: {
        const der = certificateOf(bag.value);
        if (der === undefined) this.#warnings.add("a certificate that is not X.509 (SDSI) was passed over");
        else this.#certificates.push({ der, ...bag.names });
        return;
      }
      case BAG.key:
        this.#addKey(bag, bag.value?.raw ?? new Uint8Array(0));
        return;
      case BAG.shroudedKey: {
        const [algorithm, data] = sequenceOf(bag.value, "a shrouded key bag");
        const encrypted = {
          algorithm: algorithmOf(algorithm, "a key's encryption"),
          data: octetsOf(data, "an encrypted key"),
          what: "a key",
        };
        this.#addKey(bag, this.#accept(await openEncrypted(encrypted, this.#keys), "a key"));
        return;
      }
      case BAG.crl:
        this.#warnings.add("a certificate revocation list was passed over");
        return;
      case BAG.secret:
        this.#warnings.add("a secret bag was passed over");
        return;
      default:
        this.#warnings.add(`a bag of unknown type ${bag.type} was passed over`);
    }
  }

  #addKey(bag: Bag, bytes: Uint8Array): void {
    const { pkcs8, algorithm, isSignatureOnly } = readKey(bytes, this.#limits.maxDepth);
    if (isSignatureOnly) this.#warnings.add("Windows imports the key as AT_SIGNATURE (KeySpec 2), with which RSA key exchange fails there");
    this.#privateKeys.push({ pkcs8, algorithm, ...bag.names });
  }
}

/** The content of a ContentInfo that must be of one type. @throws CERTIFICATE_UNSUPPORTED naming the other, CERTIFICATE_MALFORMED */
function contentOf(value: Tlv | undefined, expected: string, what: string): Tlv | undefined {
  const [type, wrapper] = sequenceOf(value, what);
  const oid = oidOf(type, `${what}'s type`);
  if (oid !== expected) {
    throw new FarmError(
      "CERTIFICATE_UNSUPPORTED",
      `${what} is ${CONTENT_NAMES[oid] ?? `of the content type ${oid}`}, which certfarm does not read`,
    );
  }
  return wrapper?.tag === TAG.context0 && wrapper.constructed ? childrenOf(wrapper)[0] : undefined;
}

/** [0] IMPLICIT OCTET STRING, which BER may cut into pieces that are OCTET STRINGs themselves. */
function implicitOctets(value: Tlv | undefined): Uint8Array {
  if (value?.tag !== TAG.context0) return malformed("the EncryptedContentInfo holds no content");
  if (!value.constructed) return value.body;
  return Buffer.concat(childrenOf(value).map((piece) => octetsOf(piece, "a piece of the encrypted content")));
}
