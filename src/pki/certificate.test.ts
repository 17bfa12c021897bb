import { X509Certificate } from "node:crypto";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { certificateFacts } from "./certificate.ts";
import { der } from "./der.ts";
import { nameText } from "./distinguished-name.ts";
import { Issuing } from "./testing/fixture.ts";
import { ToolFolder } from "./testing/tool-folder.ts";
import { encode, readValue } from "./tlv.ts";

const folder = new ToolFolder();

beforeAll(() => {
  folder.openssl("genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out rsa.key");
});

afterAll(() => {
  folder.remove();
});

function made(...options: readonly string[]): Buffer {
  folder.openssl("req -x509 -key rsa.key -outform der -out x.der -days 10", ...options);
  return folder.read("x.der");
}

describe("the facts of a certificate", () => {
  test("agree with what OpenSSL says", () => {
    const names =
      "subjectAltName=DNS:WWW.Example.com,DNS:*.example.com,DNS:xn--bcher-kva.example,IP:192.0.2.7,IP:2001:db8:0:0::7,email:a@example.com,DNS:not a name";
    const bytes = made(
      "-subj",
      String.raw`/C=DE/O=Ex, Ample\+Co/OU=#1 Web/CN=www.example.com`,
      "-addext",
      names,
      "-set_serial",
      "0x00ab01",
      "-sha384",
    );
    const facts = certificateFacts(bytes);
    const x509 = new X509Certificate(bytes);
    expect(facts).toEqual({
      subject: String.raw`CN=www.example.com,OU=\#1 Web,O=Ex\, Ample\+Co,C=DE`,
      issuer: facts.subject,
      dnsNames: ["www.example.com", "*.example.com", "xn--bcher-kva.example"],
      ipAddresses: ["192.0.2.7", "2001:db8::7"],
      serial: "AB01",
      notBefore: Date.parse(x509.validFrom),
      notAfter: Date.parse(x509.validTo),
      keyType: "rsa",
      keyName: "RSA 2048",
      signatureAlgorithm: "sha384WithRSAEncryption",
      thumbprint: x509.fingerprint.replaceAll(":", ""),
      sha256: x509.fingerprint256.replaceAll(":", ""),
      isCa: true,
      selfSigned: true,
    });
    expect(folder.openssl("x509 -inform der -in x.der -noout -subject -nameopt RFC2253").trim()).toBe(`subject=${facts.subject}`);
  });

  test("take the common name as host only when there are no alternative names at all", () => {
    expect(certificateFacts(made("-subj", "/CN=Cn.example.com")).dnsNames).toEqual(["cn.example.com"]);
    expect(certificateFacts(made("-subj", "/CN=cn.example.com", "-addext", "subjectAltName=IP:192.0.2.1")).dnsNames).toEqual([]);
    expect(certificateFacts(made("-subj", "/CN=Just a Name")).dnsNames).toEqual([]);
  });

  test("hold names in any script, and control characters only escaped", () => {
    const facts = certificateFacts(made("-utf8", "-subj", "/O=Bücher ☃/CN=a\u0007b"));
    expect(facts.subject).toBe(String.raw`CN=a\07b,O=Bücher ☃`);
  });

  test("tell an authority that signed for its own name with another key from a self-signed one", async () => {
    const issuing = new Issuing();
    const { certificateDer } = await issuing.issue({ names: ["Test CA"] });
    expect(certificateFacts(certificateDer)).toMatchObject({ subject: "CN=Test CA", issuer: "CN=Test CA", selfSigned: false });
    expect(certificateFacts(await issuing.rootDer()).selfSigned).toBe(true);
  });

  test("of a certificate that ends after 2050 or began before 2000 have the right years", async () => {
    const issuing = new Issuing();
    const at = (text: string) => Date.parse(text) as Parameters<typeof issuing.issue>[0]["notBefore"] & number;
    const { certificateDer } = await issuing.issue({
      names: ["a.example"],
      notBefore: at("1999-12-31T23:59:59Z"),
      notAfter: at("2061-01-02T03:04:05Z"),
    });
    expect(certificateFacts(certificateDer)).toMatchObject({ notBefore: at("1999-12-31T23:59:59Z"), notAfter: at("2061-01-02T03:04:05Z") });
  });

  test.each([
    ["no octets", new Uint8Array(0)],
    ["a private key", der.sequence(der.integer(0), der.sequence(der.oid("1.2.3")), der.octets(new Uint8Array(2)))],
    ["an empty SEQUENCE", der.sequence()],
    ["text", Buffer.from("-----BEGIN CERTIFICATE-----")],
  ])("are refused for %s", (_, bytes) => {
    expect(() => certificateFacts(bytes)).toThrow(expect.objectContaining({ code: "CERTIFICATE_MALFORMED" }));
  });

  test("are refused or given for every cut and never run on", () => {
    const bytes = made("-subj", "/CN=x.example.com");
    for (let end = 0; end < bytes.length; end++) {
      expect(() => certificateFacts(bytes.subarray(0, end))).toThrow(expect.objectContaining({ code: "CERTIFICATE_MALFORMED" }));
    }
    expect(() => certificateFacts(Buffer.concat([bytes, Buffer.of(0)]))).toThrow(/1 octets after the end/);
  });
});

describe("a name", () => {
  const name = (value: Uint8Array, oid = "2.5.4.3"): string =>
    nameText(readValue(der.sequence(encode(0x31, der.sequence(der.oid(oid), value)))));

  test.each([
    ["a BMPString", encode(0x1e, Buffer.from("\u00e4\u2603", "utf16le").swap16()), "CN=ä☃"],
    ["a UniversalString", encode(0x1c, Buffer.from("0001f600", "hex")), "CN=😀"],
    ["a TeletexString", encode(0x14, Buffer.from("\u00e4", "latin1")), "CN=ä"],
    ["spaces at its ends", encode(0x0c, Buffer.from(" a ")), String.raw`CN=\ a\ `],
    ["another type", encode(0x04, Buffer.from("a")), "CN=#040161"],
    ["a BMPString of odd length", encode(0x1e, Buffer.from("abc")), "CN=#1e03616263"],
  ])("with %s becomes RFC 4514 text", (_, value, text) => {
    expect(name(value)).toBe(text);
  });

  test("with a type that has no short name is given by its OID", () => {
    expect(name(encode(0x0c, Buffer.from("a")), "1.2.3.4")).toBe("1.2.3.4=a");
  });
});
