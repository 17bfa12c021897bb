import { createCipheriv, createHmac, pbkdf2, randomBytes } from "node:crypto";
import { promisify } from "node:util";

import { FarmError, type Secret } from "../../base/index.ts";
import { certificateFacts } from "../certificate.ts";
import { expandRc2Key, rc2CbcEncryptBlocks } from "../ciphers/rc2.ts";
import { der } from "../der.ts";
import { HASH, type Hash } from "../hashes.ts";
import { pemBlocks } from "../pem/blocks.ts";
import { pkcs12Kdf, PURPOSE } from "../pkcs12/kdf.ts";
import { readPemKey } from "./key-pair.ts";

/**
 * How a PKCS#12 file is protected: `windows-2012` as Windows Server 2012 to 2016 export it (RC2-40 for certificates, 3DES
 * for the key, SHA-1, 2000 iterations); `modern` as OpenSSL 3 and Windows Server 2022 do (AES-256, SHA-256, 2048
 * iterations); `no-mac` like `modern` without integrity protection.
 */
export type PfxProfile = "windows-2012" | "modern" | "no-mac";

/** What goes into a PKCS#12 file. */
export interface PfxContent {
  /** Leaf first. */
  readonly chainPem: string;
  /** Unencrypted PEM; left out, the file holds certificates only. */
  readonly keyPem?: Secret;
  readonly friendlyName?: string;
}

const OID = {
  data: "1.2.840.113549.1.7.1",
  encryptedData: "1.2.840.113549.1.7.6",
  shroudedKeyBag: "1.2.840.113549.1.12.10.1.2",
  certificateBag: "1.2.840.113549.1.12.10.1.3",
  x509Certificate: "1.2.840.113549.1.9.22.1",
  friendlyName: "1.2.840.113549.1.9.20",
  localKeyId: "1.2.840.113549.1.9.21",
  providerName: "1.3.6.1.4.1.311.17.1",
  localMachineKeySet: "1.3.6.1.4.1.311.17.2",
  pbe3Des: "1.2.840.113549.1.12.1.3",
  pbeRc2With40Bits: "1.2.840.113549.1.12.1.6",
  pbes2: "1.2.840.113549.1.5.13",
  pbkdf2: "1.2.840.113549.1.5.12",
  hmacSha256: "1.2.840.113549.2.9",
  aes256Cbc: "2.16.840.1.101.3.4.1.42",
  sha1: "1.3.14.3.2.26",
  sha256: "2.16.840.1.101.3.4.2.1",
} as const;

const LOCAL_KEY_ID = Uint8Array.of(1, 0, 0, 0);
const PROVIDER = "Microsoft RSA SChannel Cryptographic Provider";
const KEY_USAGE_EXCHANGE = Uint8Array.of(0x03, 0x02, 0x00, 0x10);

/** An AlgorithmIdentifier and what it made of the plain text. */
interface Sealed {
  readonly algorithm: Uint8Array;
  readonly data: Uint8Array;
}

type Seal = (password: string, plain: Uint8Array) => Promise<Sealed>;

interface Profile {
  readonly sealKey: Seal;
  readonly sealCertificates: Seal;
  readonly mac: { readonly hash: Hash; readonly oid: string; readonly iterations: number } | undefined;
  /** With the attributes that CryptoAPI writes. */
  readonly isWindows: boolean;
}

const PROFILES: Readonly<Record<PfxProfile, Profile>> = {
  "windows-2012": {
    sealKey: sealTripleDes,
    sealCertificates: sealRc2,
    mac: { hash: HASH.sha1, oid: OID.sha1, iterations: 2000 },
    isWindows: true,
  },
  modern: {
    sealKey: sealAes,
    sealCertificates: sealAes,
    mac: { hash: HASH.sha256, oid: OID.sha256, iterations: 2048 },
    isWindows: false,
  },
  "no-mac": { sealKey: sealAes, sealCertificates: sealAes, mac: undefined, isWindows: false },
};

const bmpPassword = (password: string): Uint8Array => Buffer.from(`${password}\0`, "utf16le").swap16();

function padded(plain: Uint8Array, block: number): Uint8Array {
  const count = block - (plain.length % block);
  return Buffer.concat([plain, Buffer.alloc(count, count)]);
}

async function legacyKeys(password: string, keySize: number): Promise<{ key: Uint8Array; iv: Uint8Array; parameters: Uint8Array }> {
  const salt = randomBytes(8);
  const request = { hash: HASH.sha1, password: bmpPassword(password), salt, iterations: 2000 };
  const key = await pkcs12Kdf({ ...request, purpose: PURPOSE.key, length: keySize });
  const iv = await pkcs12Kdf({ ...request, purpose: PURPOSE.iv, length: 8 });
  return { key, iv, parameters: der.sequence(der.octets(salt), der.integer(2000)) };
}

async function sealTripleDes(password: string, plain: Uint8Array): Promise<Sealed> {
  const { key, iv, parameters } = await legacyKeys(password, 24);
  const cipher = createCipheriv("des-ede3-cbc", key, iv);
  return { algorithm: der.sequence(der.oid(OID.pbe3Des), parameters), data: Buffer.concat([cipher.update(plain), cipher.final()]) };
}

async function sealRc2(password: string, plain: Uint8Array): Promise<Sealed> {
  const { key, iv, parameters } = await legacyKeys(password, 5);
  const data = rc2CbcEncryptBlocks(expandRc2Key(key, 40), iv, padded(plain, 8));
  return { algorithm: der.sequence(der.oid(OID.pbeRc2With40Bits), parameters), data };
}

async function sealAes(password: string, plain: Uint8Array): Promise<Sealed> {
  const [salt, iv] = [randomBytes(16), randomBytes(16)];
  const key = await promisify(pbkdf2)(password, salt, 2048, 32, "sha256");
  const cipher = createCipheriv("aes-256-cbc", key, iv);
  const prf = der.sequence(der.oid(OID.hmacSha256), der.null());
  const kdf = der.sequence(der.oid(OID.pbkdf2), der.sequence(der.octets(salt), der.integer(2048), prf));
  const encryption = der.sequence(der.oid(OID.aes256Cbc), der.octets(iv));
  return {
    algorithm: der.sequence(der.oid(OID.pbes2), der.sequence(kdf, encryption)),
    data: Buffer.concat([cipher.update(plain), cipher.final()]),
  };
}

const attribute = (type: string, ...values: readonly Uint8Array[]): Uint8Array => der.sequence(der.oid(type), der.set(...values));

function attributesOf(friendlyName: string | undefined, more: readonly Uint8Array[] = []): Uint8Array {
  const named = friendlyName === undefined ? [] : [attribute(OID.friendlyName, der.bmpString(friendlyName))];
  return der.set(...sorted([attribute(OID.localKeyId, der.octets(LOCAL_KEY_ID)), ...named, ...more]));
}

/** DER orders the members of a SET OF by their encodings (X.690 section 11.6). */
const sorted = (parts: readonly Uint8Array[]): Uint8Array[] => parts.toSorted((one, other) => Buffer.compare(one, other));

const contentInfo = (type: string, content: Uint8Array): Uint8Array => der.sequence(der.oid(type), der.context(0, content));

async function keySafe(content: PfxContent & { keyPem: Secret }, profile: Profile, password: string): Promise<Uint8Array> {
  const plain = keyInfo(content.keyPem, profile);
  const { algorithm, data } = await profile.sealKey(password, plain);
  const windows = [attribute(OID.providerName, der.bmpString(PROVIDER)), attribute(OID.localMachineKeySet)];
  const bag = der.sequence(
    der.oid(OID.shroudedKeyBag),
    der.context(0, der.sequence(algorithm, der.octets(data))),
    attributesOf(content.friendlyName, profile.isWindows ? windows : []),
  );
  return contentInfo(OID.data, der.octets(der.sequence(bag)));
}

/** PKCS#8; Windows adds the KeySpec AT_KEYEXCHANGE as a key usage among the attributes. */
function keyInfo(keyPem: Secret, { isWindows }: Profile): Uint8Array {
  const pkcs8 = readPemKey(keyPem).privateKey.export({ type: "pkcs8", format: "der" });
  if (!isWindows) return pkcs8;
  const usage = der.context(0, der.sequence(der.oid("2.5.29.15"), der.set(KEY_USAGE_EXCHANGE)));
  return der.sequence(bodyOf(pkcs8), usage);
}

/** The contents of a SEQUENCE longer than 127 octets, or shorter. */
function bodyOf(sequence: Uint8Array): Uint8Array {
  const length = sequence[1] ?? 0;
  return sequence.subarray(length < 0x80 ? 2 : 2 + (length & 0x7f));
}

async function certificateSafe(content: PfxContent, profile: Profile, password: string): Promise<Uint8Array> {
  const bags = [...pemBlocks(Buffer.from(content.chainPem))].map(({ bytes }, index) => {
    certificateFacts(bytes);
    const bag = der.sequence(der.oid(OID.x509Certificate), der.context(0, der.octets(bytes)));
    const attributes = index === 0 && content.keyPem !== undefined ? [attributesOf(content.friendlyName)] : [];
    return der.sequence(der.oid(OID.certificateBag), der.context(0, bag), ...attributes);
  });
  if (bags.length === 0) throw new FarmError("CERTIFICATE_MALFORMED", "there is no PEM certificate to write");
  const { algorithm, data } = await profile.sealCertificates(password, der.sequence(...bags));
  const encrypted = der.sequence(der.oid(OID.data), algorithm, der.primitive(0, data));
  return contentInfo(OID.encryptedData, der.sequence(der.integer(0), encrypted));
}

async function macOf(content: Uint8Array, profile: Profile, password: string): Promise<Uint8Array[]> {
  if (profile.mac === undefined) return [];
  const { hash, oid, iterations } = profile.mac;
  const salt = randomBytes(hash.size);
  const request = { hash, password: bmpPassword(password), salt, iterations, purpose: PURPOSE.mac, length: hash.size };
  const digest = createHmac(hash.name, await pkcs12Kdf(request))
    .update(content)
    .digest();
  const info = der.sequence(der.sequence(der.oid(oid), der.null()), der.octets(digest));
  return [der.sequence(info, der.octets(salt), der.integer(iterations))];
}

/**
 * Writes a PKCS#12 file (RFC 7292).
 * @throws CERTIFICATE_MALFORMED when the chain or the key is not valid PEM
 */
export async function writePfx(
  content: PfxContent,
  settings: { readonly password: Secret; readonly profile: PfxProfile },
): Promise<Uint8Array> {
  const profile = PROFILES[settings.profile];
  const password = settings.password.reveal();
  const { keyPem } = content;
  const keys = keyPem === undefined ? [] : [await keySafe({ ...content, keyPem }, profile, password)];
  const safes = der.sequence(...keys, await certificateSafe(content, profile, password));
  return der.sequence(der.integer(3), contentInfo(OID.data, der.octets(safes)), ...(await macOf(safes, profile, password)));
}
