/**
 * Certificates in bulk: hNNNNN.example.test under one authority, with one leaf key and DER written by hand, so that 100,000 files take
 * seconds. PFX files are as OpenSSL 3 writes them (PBES2, 2048 iterations, SHA-256 MAC); one salt for all, a reader pays in full all the same.
 */
import { createCipheriv, createHash, createHmac, createPublicKey, generateKeyPairSync, pbkdf2Sync, randomBytes, sign } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export const PASSWORD = "test";
const ITERATIONS = 2048;

const length = (n) => (n < 128 ? [n] : n < 256 ? [0x81, n] : [0x82, n >> 8, n & 255]);
const tlv = (tag, ...parts) => {
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([tag, ...length(body.length)]), body]);
};
const sequence = (...parts) => tlv(0x30, ...parts);
const hex = (text) => Buffer.from(text, "hex");
const integer = (value) => {
  const digits = value.toString(16);
  const even = digits.length % 2 === 0 ? digits : `0${digits}`;
  return tlv(2, hex(Number.parseInt(even.slice(0, 2), 16) > 127 ? `00${even}` : even));
};

const ECDSA_SHA256 = sequence(hex("06082a8648ce3d040302"));
const name = (text) => sequence(tlv(0x31, sequence(hex("0603550403"), tlv(0x0c, Buffer.from(text)))));
const VALIDITY = sequence(tlv(0x17, Buffer.from("260101000000Z")), tlv(0x17, Buffer.from("360101000000Z")));
const extension = (oid, der, critical) => sequence(hex(oid), ...(critical ? [hex("0101ff")] : []), tlv(4, der));
const SERVER_USE = [
  extension("0603551d25", sequence(hex("06082b06010505070301"))),
  extension("0603551d0f", hex("03020780"), true),
  extension("0603551d13", sequence(), true),
];

const pem = (label, der) => `-----BEGIN ${label}-----\n${der.toString("base64").replace(/.{1,64}/g, "$&\n")}-----END ${label}-----\n`;
const newKey = () => generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
const spki = (key) => createPublicKey(key).export({ type: "spki", format: "der" });

/** An authority for a bench, with the one key that all its leaves have. */
export function createBulkAuthority() {
  const [authority, leafKey] = [newKey(), newKey()];
  const leafSpki = spki(leafKey);
  const pkcs8 = leafKey.export({ type: "pkcs8", format: "der" });
  const keyPem = leafKey.export({ type: "pkcs8", format: "pem" });
  const wrap = createPfxWriter(pkcs8);
  const root = () => {
    const use = [extension("0603551d13", sequence(hex("0101ff")), true), extension("0603551d0f", hex("03020106"), true)];
    const body = [tlv(0xa0, integer(2)), integer(1), ECDSA_SHA256, name("bench CA"), VALIDITY, name("bench CA"), spki(authority)];
    const unsigned = sequence(...body, tlv(0xa3, sequence(...use)));
    return pem("CERTIFICATE", sequence(unsigned, ECDSA_SHA256, tlv(3, hex("00"), sign("sha256", unsigned, authority))));
  };
  const issue = (host, serial) => {
    const san = extension("0603551d11", sequence(tlv(0x82, Buffer.from(host))));
    const body = [tlv(0xa0, integer(2)), integer(serial), ECDSA_SHA256, name("bench CA"), VALIDITY, name(host), leafSpki];
    const unsigned = sequence(...body, tlv(0xa3, sequence(san, ...SERVER_USE)));
    return sequence(unsigned, ECDSA_SHA256, tlv(3, hex("00"), sign("sha256", unsigned, authority)));
  };
  return {
    /** The authority's own certificate, PEM. */
    root,
    pem: (host, serial = 1) => pem("CERTIFICATE", issue(host, serial)) + keyPem,
    pfx: (host, serial = 1) => wrap(issue(host, serial)),
  };
}

function createPfxWriter(pkcs8) {
  const [salt, iv] = [randomBytes(16), randomBytes(16)];
  const key = pbkdf2Sync(PASSWORD, salt, ITERATIONS, 32, "sha256");
  const encrypt = (der) => {
    const cipher = createCipheriv("aes-256-cbc", key, iv);
    return Buffer.concat([cipher.update(der), cipher.final()]);
  };
  const kdf = sequence(tlv(4, salt), integer(ITERATIONS), sequence(hex("06082a864886f70d02090500")));
  const cipher = sequence(hex("060960864801650304012a"), tlv(4, iv));
  const pbes2 = sequence(hex("06092a864886f70d01050d"), sequence(sequence(hex("06092a864886f70d01050c"), kdf), cipher));
  const data = hex("06092a864886f70d010701");
  const macKey = pkcs12MacKey(salt);
  const shrouded = sequence(hex("060b2a864886f70d010c0a0102"), tlv(0xa0, sequence(pbes2, tlv(4, encrypt(pkcs8)))));
  const keySafe = sequence(data, tlv(0xa0, tlv(4, sequence(shrouded))));
  return (der) => {
    const bag = sequence(hex("060b2a864886f70d010c0a0103"), tlv(0xa0, sequence(hex("060a2a864886f70d01091601"), tlv(0xa0, tlv(4, der)))));
    const encrypted = sequence(data, pbes2, tlv(0x80, encrypt(sequence(bag))));
    const safe = sequence(sequence(hex("06092a864886f70d010706"), tlv(0xa0, sequence(integer(0), encrypted))), keySafe);
    const mac = createHmac("sha256", macKey).update(safe).digest();
    const macData = sequence(sequence(sequence(hex("06096086480165030402010500")), tlv(4, mac)), tlv(4, salt), integer(ITERATIONS));
    return sequence(integer(3), sequence(data, tlv(0xa0, tlv(4, safe))), macData);
  };
}

/** RFC 7292 appendix B for SHA-256 and a 32-octet key. */
function pkcs12MacKey(salt) {
  const repeat = (bytes) => Buffer.concat(Array(Math.ceil(64 / bytes.length)).fill(bytes)).subarray(0, 64 * Math.ceil(bytes.length / 64));
  const password = Buffer.concat([Buffer.from(PASSWORD, "utf16le").swap16(), hex("0000")]);
  let key = Buffer.concat([Buffer.alloc(64, 3), repeat(salt), repeat(password)]);
  for (let at = 0; at < ITERATIONS; at += 1) key = createHash("sha256").update(key).digest();
  return key;
}

export const hostName = (index) => `h${String(index).padStart(5, "0")}.example.test`;

/** Writes `count` files of a format into a folder: host names `from`, `from + 1` and so on. Returns the authority. */
export function writeCertificates(folder, { from = 0, count, format, authority = createBulkAuthority() }) {
  mkdirSync(folder, { recursive: true });
  for (let at = from; at < from + count; at += 1) {
    writeFileSync(join(folder, `${hostName(at)}.${format}`), authority[format](hostName(at), 100 + at));
  }
  return authority;
}
