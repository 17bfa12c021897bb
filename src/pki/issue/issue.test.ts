import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { instant, Secret } from "../../base/index.ts";
import { certificateFacts } from "../certificate.ts";
import { readCertificateFile } from "../read-certificate-file.ts";
import { ToolFolder } from "../testing/tool-folder.ts";
import type { KeyType } from "../types.ts";
import { createAuthority, type Authority, type IssuedCertificate } from "./authority.ts";
import { writePfx, type PfxProfile } from "./write-pfx.ts";

const now = instant(Date.now());
const folder = new ToolFolder();
let authority: Authority;

beforeAll(async () => {
  authority = await createAuthority({ name: "Farm Demo CA", now, intermediate: true });
  folder.write("root.pem", authority.certificatePem);
});

afterAll(() => {
  folder.remove();
});

describe("an authority", () => {
  test.each<[KeyType, string]>([
    ["rsa", "RSA 2048"],
    ["ecdsa", "P-256"],
    ["ed25519", "Ed25519"],
  ])("issues %s certificates that OpenSSL verifies for their names up to the root", async (keyType, keyName) => {
    const issued = await authority.issue({ names: ["www.example.com", "*.example.com", "10.0.0.4", "2001:db8::4"], keyType });
    folder.write("leaf.pem", issued.chainPem);
    const verify = "verify -CAfile root.pem -untrusted leaf.pem -purpose sslserver -x509_strict";
    for (const name of ["-verify_hostname www.example.com", "-verify_hostname a.example.com", "-verify_ip 10.0.0.4"]) {
      expect(folder.openssl(`${verify} ${name} leaf.pem`)).toContain("leaf.pem: OK");
    }
    expect(certificateFacts(issued.certificateDer)).toMatchObject({
      subject: "CN=www.example.com",
      issuer: "CN=Farm Demo CA Intermediate",
      dnsNames: ["www.example.com", "*.example.com"],
      ipAddresses: ["10.0.0.4", "2001:db8::4"],
      keyType,
      keyName,
      signatureAlgorithm: "ecdsa-with-SHA256",
      isCa: false,
      selfSigned: false,
    });
  });

  test("issues client certificates that OpenSSL accepts from clients and not from servers", async () => {
    const { chainPem } = await authority.issue({ names: ["client.example.com"], client: true });
    folder.write("client.pem", chainPem);
    const verifyFor = (purpose: string) => folder.openssl(`verify -CAfile root.pem -untrusted client.pem -purpose ${purpose} client.pem`);
    expect(verifyFor("sslclient")).toContain("client.pem: OK");
    expect(() => verifyFor("sslserver")).toThrow(/purpose/);
  });

  test("certifies a key that it is given, for the time that it is given", async () => {
    const first = await authority.issue({ names: ["a.example.com"], keyType: "rsa" });
    const [notBefore, notAfter] = [instant(now - 86_400_000), instant(now + 86_400_000)];
    const second = await authority.issue({ names: ["a.example.com"], withKey: first.keyPem, notBefore, notAfter });
    expect(second.keyPem.reveal()).toBe(first.keyPem.reveal());
    const facts = certificateFacts(second.certificateDer);
    expect([facts.notBefore, facts.notAfter]).toEqual([notBefore, notAfter].map((at) => Math.floor(at / 1000) * 1000));
  });
});

describe("a PKCS#12 file that is written", () => {
  const issued = new Map<KeyType, IssuedCertificate>();

  beforeAll(async () => {
    for (const keyType of ["rsa", "ecdsa", "ed25519"] as const) {
      issued.set(keyType, await authority.issue({ names: [`${keyType}.example.com`], keyType }));
    }
  });

  const profiles: readonly PfxProfile[] = ["windows-2012", "modern", "no-mac"];
  const keyTypes: readonly KeyType[] = ["rsa", "ecdsa", "ed25519"];
  const combinations = profiles.flatMap((profile) => keyTypes.map((keyType) => [profile, keyType] as const));

  test.each(combinations)("in the profile %s with an %s key is read by OpenSSL and by certfarm", async (profile, keyType) => {
    const pair = issued.get(keyType);
    if (pair === undefined) throw new Error("not issued");
    const password = new Secret("pässword");
    const bytes = await writePfx({ ...pair, friendlyName: "web ☃" }, { password, profile });
    folder.write("x.pfx", bytes);
    const printed = folder.openssl(
      "pkcs12 -in x.pfx -nodes -passin",
      `pass:${password.reveal()}`,
      ...(profile === "windows-2012" ? ["-legacy"] : []),
    );
    expect(printed.match(/BEGIN CERTIFICATE/g)).toHaveLength(2);
    expect(printed).toContain("BEGIN PRIVATE KEY");
    const reading = await readCertificateFile({ bytes, passwords: [password], now });
    expect(reading).toMatchObject({ status: "ok", facts: { friendlyName: "web ☃", chainEnds: "to-intermediate", unusedCertificates: 0 } });
    expect(reading.prepared?.keyPem.reveal()).toBe(pair.keyPem.reveal());
    expect(reading.prepared?.chainPem).toBe(pair.chainPem);
  });

  test("in the profile windows-2012 has the attributes and algorithms of Windows", async () => {
    const pair = issued.get("rsa");
    if (pair === undefined) throw new Error("not issued");
    folder.write("w.pfx", await writePfx(pair, { password: new Secret("p"), profile: "windows-2012" }));
    const printed = folder.openssl("pkcs12 -in w.pfx -nodes -legacy -passin pass:p");
    expect(printed).toContain("Microsoft CSP Name: Microsoft RSA SChannel Cryptographic Provider");
    expect(printed).toContain("Microsoft Local Key set: <No Values>");
    expect(printed).toContain("X509v3 Key Usage: 10");
  });
});
