import { childrenOf, oidOf, sequenceOf, TAG, type Tlv } from "./tlv.ts";

/** Short names of RFC 4514 section 3, and those that OpenSSL and Windows print besides. */
const SHORT_NAMES: Readonly<Record<string, string>> = {
  "2.5.4.3": "CN",
  "2.5.4.4": "SN",
  "2.5.4.5": "serialNumber",
  "2.5.4.6": "C",
  "2.5.4.7": "L",
  "2.5.4.8": "ST",
  "2.5.4.9": "STREET",
  "2.5.4.10": "O",
  "2.5.4.11": "OU",
  "2.5.4.12": "title",
  "2.5.4.15": "businessCategory",
  "2.5.4.17": "postalCode",
  "2.5.4.42": "GN",
  "2.5.4.97": "organizationIdentifier",
  "0.9.2342.19200300.100.1.1": "UID",
  "0.9.2342.19200300.100.1.25": "DC",
  "1.2.840.113549.1.9.1": "emailAddress",
  "1.3.6.1.4.1.311.60.2.1.1": "jurisdictionL",
  "1.3.6.1.4.1.311.60.2.1.2": "jurisdictionST",
  "1.3.6.1.4.1.311.60.2.1.3": "jurisdictionC",
};

const COMMON_NAME = "2.5.4.3";
const STRING = { utf8: 12, printable: 19, teletex: 20, ia5: 22, universal: 28, bmp: 30 } as const;

/** The text of a directory string; undefined when the value is of no string type. */
function textOf(value: Tlv): string | undefined {
  const bytes = Buffer.from(value.body);
  switch (value.tag) {
    case STRING.utf8:
      return bytes.toString("utf8");
    case STRING.printable:
    case STRING.teletex:
    case STRING.ia5:
      return bytes.toString("latin1");
    case STRING.bmp:
      return bytes.length % 2 === 0 ? bytes.swap16().toString("utf16le") : undefined;
    case STRING.universal:
      return universalText(bytes);
    default:
      return undefined;
  }
}

function universalText(bytes: Buffer): string | undefined {
  if (bytes.length % 4 !== 0) return undefined;
  let text = "";
  for (let at = 0; at < bytes.length; at += 4) {
    const point = bytes.readUInt32BE(at);
    if (point > 0x10ffff) return undefined;
    text += String.fromCodePoint(point);
  }
  return text;
}

/** RFC 4514 section 2.4; control characters are escaped too, so that a name can be printed safely. */
function escaped(text: string): string {
  const inner = text
    .replaceAll(/["+,;<>\\]/g, String.raw`\$&`)
    .replaceAll(/\p{Cc}/gu, (char) => [...Buffer.from(char, "utf8")].map((octet) => `\\${octet.toString(16).padStart(2, "0")}`).join(""));
  return inner.replace(/^[ #]/, String.raw`\$&`).replace(/(?<!\\) $/, String.raw`\ `);
}

function attributeText(attribute: Tlv): string {
  const [type, value] = sequenceOf(attribute, "an attribute of a name");
  const oid = oidOf(type, "an attribute's type");
  const text = value === undefined ? "" : textOf(value);
  return `${SHORT_NAMES[oid] ?? oid}=${text === undefined ? `#${Buffer.from(value?.raw ?? []).toString("hex")}` : escaped(text)}`;
}

/** A Name as RFC 4514 text: the last relative name first. @throws CERTIFICATE_MALFORMED */
export function nameText(name: Tlv): string {
  return sequenceOf(name, "a name")
    .map((relative) => childrenOf(relative).map(attributeText).join("+"))
    .reverse()
    .join(",");
}

/** The last common name of a Name, or undefined. @throws CERTIFICATE_MALFORMED */
export function commonName(name: Tlv): string | undefined {
  let found: string | undefined;
  for (const relative of sequenceOf(name, "a name")) {
    for (const attribute of childrenOf(relative)) {
      const [type, value] = sequenceOf(attribute, "an attribute of a name");
      if (value !== undefined && type?.tag === TAG.oid && oidOf(type, "an attribute's type") === COMMON_NAME) found = textOf(value);
    }
  }
  return found;
}
