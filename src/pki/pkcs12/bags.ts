import { oidOf, childrenOf, octetsOf, sequenceOf, TAG, type Tlv } from "../tlv.ts";

/** The bag types of RFC 7292 section 4.2. */
export const BAG = {
  key: "1.2.840.113549.1.12.10.1.1",
  shroudedKey: "1.2.840.113549.1.12.10.1.2",
  certificate: "1.2.840.113549.1.12.10.1.3",
  crl: "1.2.840.113549.1.12.10.1.4",
  secret: "1.2.840.113549.1.12.10.1.5",
  safeContents: "1.2.840.113549.1.12.10.1.6",
} as const;

/** X.509 among the certificate types of RFC 2985; the other one is SDSI, which no TLS server uses. */
const X509_CERTIFICATE = "1.2.840.113549.1.9.22.1";

const FRIENDLY_NAME = "1.2.840.113549.1.9.20";
const LOCAL_KEY_ID = "1.2.840.113549.1.9.21";

/** The names a bag carries (RFC 2985 section 5.5). */
interface BagNames {
  readonly friendlyName?: string;
  /** Hexadecimal. */
  readonly localKeyId?: string;
}

/** A SafeBag with its value unread. */
export interface Bag {
  readonly type: string;
  readonly value: Tlv | undefined;
  readonly names: BagNames;
}

/** @throws CERTIFICATE_MALFORMED */
export function readBag(bag: Tlv): Bag {
  const [type, wrapper, attributes] = sequenceOf(bag, "a SafeBag");
  const value = wrapper?.tag === TAG.context0 ? childrenOf(wrapper)[0] : undefined;
  return { type: oidOf(type, "a SafeBag's type"), value, names: readNames(attributes) };
}

/** Attributes other than the two names, such as Windows' provider name, are passed over, whatever they hold. */
function readNames(attributes: Tlv | undefined): BagNames {
  let names: BagNames = {};
  if (attributes?.tag !== TAG.set) return names;
  for (const attribute of childrenOf(attributes)) {
    const [type, values] = childrenOf(attribute);
    const value = values?.constructed === true ? childrenOf(values)[0] : undefined;
    if (type?.tag !== TAG.oid || value === undefined) continue;
    const oid = oidOf(type, "a bag attribute");
    if (oid === FRIENDLY_NAME) names = { ...names, friendlyName: bmpText(value.body) };
    if (oid === LOCAL_KEY_ID) names = { ...names, localKeyId: Buffer.from(value.body).toString("hex") };
  }
  return names;
}

/** Text of a BMPString; control characters, which have no place in a name, become spaces. */
function bmpText(body: Uint8Array): string {
  const even = Buffer.from(body.subarray(0, body.length - (body.length % 2)));
  return even
    .swap16()
    .toString("utf16le")
    .replaceAll(/\p{Cc}/gu, " ")
    .trim()
    .slice(0, 200);
}

/** The DER of an X.509 certificate bag; undefined for other kinds of certificates. @throws CERTIFICATE_MALFORMED */
export function certificateOf(value: Tlv | undefined): Uint8Array | undefined {
  const [type, wrapper] = sequenceOf(value, "a certificate bag");
  if (oidOf(type, "a certificate bag's type") !== X509_CERTIFICATE) return undefined;
  const held = wrapper?.tag === TAG.context0 ? childrenOf(wrapper)[0] : undefined;
  return octetsOf(held, "a certificate bag's value");
}
