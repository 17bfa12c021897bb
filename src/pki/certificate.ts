import { hash } from "node:crypto";

import { FarmError, instant, parseHostPattern, parseIpAddress, type HostPattern, type Instant, type IpAddress } from "../base/index.ts";
import { algorithmOf } from "./algorithm.ts";
import { commonName, nameText } from "./distinguished-name.ts";
import { keyKindOf, rsaPublicKeyBits } from "./key-kind.ts";
import { DEFAULT_LIMITS } from "./limits.ts";
import { signatureName } from "./signature-name.ts";
import { childrenOf, malformed, octetsOf, oidOf, readNested, readValue, sequenceOf, TAG, toDefinite, type Tlv } from "./tlv.ts";
import type { CertificateFacts } from "./types.ts";

const EXTENSION = {
  subjectKeyIdentifier: "2.5.29.14",
  subjectAltName: "2.5.29.17",
  basicConstraints: "2.5.29.19",
  authorityKeyIdentifier: "2.5.29.35",
} as const;

interface Parts {
  readonly serial: Tlv | undefined;
  readonly issuer: Tlv;
  readonly validity: Tlv | undefined;
  readonly subject: Tlv;
  readonly publicKey: Tlv | undefined;
  readonly extensions: ReadonlyMap<string, Uint8Array>;
  readonly signature: Tlv | undefined;
}

/** The fields of a Certificate (RFC 5280 section 4.1), unread. */
function partsOf(der: Uint8Array): Parts {
  const [tbs, signature] = sequenceOf(readValue(der), "the certificate");
  const fields = sequenceOf(tbs, "the TBSCertificate");
  if (fields[0]?.tag === TAG.context0) fields.shift();
  const [serial, , issuer, validity, subject, publicKey, ...optional] = fields;
  if (issuer === undefined || subject === undefined) return malformed("the certificate lacks its issuer or subject");
  const extensions = optional.find((field) => field.tag === (0x80 | 3) && field.constructed);
  return { serial, issuer, validity, subject, publicKey, extensions: extensionsOf(extensions), signature };
}

function extensionsOf(wrapper: Tlv | undefined): Map<string, Uint8Array> {
  const found = new Map<string, Uint8Array>();
  if (wrapper === undefined) return found;
  for (const extension of sequenceOf(childrenOf(wrapper)[0], "the extensions")) {
    const fields = sequenceOf(extension, "an extension");
    found.set(oidOf(fields[0], "an extension's type"), octetsOf(fields.at(-1), "an extension's value"));
  }
  return found;
}

/** UTCTime or GeneralizedTime, with or without seconds and a zone: older certificates have all of these. */
const TIME = /^(\d{2}|\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)?(?:[.,]\d+)?(?:Z|([+-])(\d\d)(\d\d))?$/;
const UTC_TIME = 23;

function timeOf(value: Tlv | undefined, what: string): Instant {
  const text = Buffer.from(value?.body ?? []).toString("latin1");
  const match = TIME.exec(text);
  if (match === null || (match[1]?.length === 2) !== (value?.tag === UTC_TIME)) return malformed(`${what} is not a time`);
  const digits = (index: number): number => Number(match[index] ?? 0);
  // RFC 5280 section 4.1.2.5.1: two-digit years from 50 on are of the last century.
  const year = match[1]?.length === 2 ? digits(1) + (digits(1) >= 50 ? 1900 : 2000) : digits(1);
  const offset = (digits(8) * 60 + digits(9)) * 60_000 * (match[7] === "-" ? -1 : 1);
  const date = new Date(0);
  date.setUTCFullYear(year, digits(2) - 1, digits(3));
  date.setUTCHours(digits(4), digits(5), digits(6));
  return instant(date.getTime() - offset);
}

const GENERAL_NAME = { dns: 0x82, ip: 0x87 } as const;

function ipText(body: Uint8Array): IpAddress | undefined {
  if (body.length === 4) return parseIpAddress(body.join("."));
  if (body.length !== 16) return undefined;
  return parseIpAddress(
    Buffer.from(body)
      .toString("hex")
      .replaceAll(/(.{4})(?=.)/g, "$1:"),
  );
}

/** Names that are not in a form that TLS clients match are left out. */
function namesOf({ extensions, subject }: Parts): { dnsNames: HostPattern[]; ipAddresses: IpAddress[] } {
  const dnsNames = new Set<HostPattern>();
  const ipAddresses = new Set<IpAddress>();
  const alternative = extensions.get(EXTENSION.subjectAltName);
  const addDns = (text: string | undefined): void => {
    const name = text === undefined ? undefined : parseHostPattern(text);
    if (name !== undefined) dnsNames.add(name);
  };
  if (alternative === undefined) addDns(commonName(subject));
  else {
    for (const name of sequenceOf(readNested(alternative), "the subject alternative names")) {
      if (name.tag === GENERAL_NAME.dns) addDns(Buffer.from(name.body).toString("latin1"));
      const address = name.tag === GENERAL_NAME.ip ? ipText(name.body) : undefined;
      if (address !== undefined) ipAddresses.add(address);
    }
  }
  return { dnsNames: [...dnsNames], ipAddresses: [...ipAddresses] };
}

function isCa({ extensions }: Parts): boolean {
  const constraints = extensions.get(EXTENSION.basicConstraints);
  if (constraints === undefined) return false;
  const [flag] = sequenceOf(readNested(constraints), "the basic constraints");
  return flag?.tag === 1 && flag.body[0] !== 0;
}

function serialText(value: Tlv | undefined): string {
  if (value?.tag !== TAG.integer || value.body.length === 0) return malformed("the serial number is not an ASN.1 INTEGER");
  // A leading zero octet only keeps the number positive: Windows and OpenSSL show it without.
  const digits = value.body.length > 1 && value.body[0] === 0 ? value.body.subarray(1) : value.body;
  return Buffer.from(digits).toString("hex").toUpperCase();
}

const digestOf = (name: "sha1" | "sha256", der: Uint8Array): string => hash(name, der, "hex").toUpperCase();
const isSame = (one: Uint8Array, other: Uint8Array): boolean => Buffer.compare(one, other) === 0;

/** Names agree, and so do the key identifiers when both are there: an authority that changes its key signs for its own name. */
function isSelfSigned({ subject, issuer, extensions }: Parts): boolean {
  if (!isSame(subject.raw, issuer.raw)) return false;
  const [own, authority] = [extensions.get(EXTENSION.subjectKeyIdentifier), extensions.get(EXTENSION.authorityKeyIdentifier)];
  if (own === undefined || authority === undefined) return true;
  const signer = sequenceOf(readNested(authority), "the authority key identifier").find((field) => field.tag === TAG.context0);
  return signer === undefined || isSame(signer.body, octetsOf(readNested(own), "the subject key identifier"));
}

function factsOf(der: Uint8Array): CertificateFacts {
  const parts = partsOf(der);
  const [notBefore, notAfter] = sequenceOf(parts.validity, "the validity");
  const [keyAlgorithm, keyBits] = sequenceOf(parts.publicKey, "the public key");
  const kind = keyKindOf(algorithmOf(keyAlgorithm, "the key algorithm"), () =>
    rsaPublicKeyBits(keyBits?.body.subarray(1) ?? new Uint8Array(0)),
  );
  return {
    subject: nameText(parts.subject),
    issuer: nameText(parts.issuer),
    ...namesOf(parts),
    serial: serialText(parts.serial),
    notBefore: timeOf(notBefore, "notBefore"),
    notAfter: timeOf(notAfter, "notAfter"),
    ...kind,
    signatureAlgorithm: signatureName(algorithmOf(parts.signature, "the signature algorithm")),
    thumbprint: digestOf("sha1", der),
    sha256: digestOf("sha256", der),
    isCa: isCa(parts),
    selfSigned: isSelfSigned(parts),
  };
}

/**
 * What an X.509 certificate in DER says: parsing only, about 0.1 ms. `selfSigned` compares names and key identifiers, it verifies nothing.
 * @throws CERTIFICATE_MALFORMED when the bytes are no certificate
 */
export function certificateFacts(der: Uint8Array): CertificateFacts {
  try {
    const { der: definite, rest } = toDefinite(der, DEFAULT_LIMITS.maxDepth);
    if (rest > 0) malformed(`${rest} octets after the end of the certificate`);
    return factsOf(definite);
  } catch (thrown) {
    if (thrown instanceof FarmError) throw thrown;
    throw new FarmError("CERTIFICATE_MALFORMED", "the certificate cannot be read", { cause: thrown });
  }
}
