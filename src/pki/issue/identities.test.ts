import { createPublicKey, generateKeyPairSync } from "node:crypto";

import { assert, integer, nat, property } from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { FarmError, instant, Secret } from "../../base/index.ts";
import { ToolFolder } from "../testing/tool-folder.ts";
import { makeCertificateRequest, readCertificateRequest } from "./certificate-request.ts";
import { issueIdentity, makeIdentityAuthority } from "./identities.ts";

const now = instant(Date.now());
const folder = new ToolFolder();
const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const spki = createPublicKey(privateKey).export({ type: "spki", format: "der" });
const life = { notBefore: instant(now - 3_600_000), notAfter: instant(now + 86_400_000) };

beforeAll(() => folder.write("key.pem", privateKey.export({ type: "pkcs8", format: "pem" })));
afterAll(() => folder.remove());

describe("an identity", () => {
  test("is verified by OpenSSL for both ends of a connection, under an authority of path length 0", async () => {
    const authority = await makeIdentityAuthority({ name: "certfarm test", now });
    const pem = await issueIdentity(authority, { subject: "node web1", uri: "urn:certfarm:0011223344556677:node:web1", spki, ...life });
    folder.write("authority.pem", authority.certificatePem);
    folder.write("leaf.pem", pem);
    for (const purpose of ["sslserver", "sslclient"]) {
      expect(folder.openssl(`verify -CAfile authority.pem -x509_strict -purpose ${purpose} leaf.pem`)).toContain("leaf.pem: OK");
    }
    expect(folder.openssl("x509 -in authority.pem -noout -text")).toContain("CA:TRUE, pathlen:0");
    const text = folder.openssl("x509 -in leaf.pem -noout -text");
    expect(text).toContain("URI:urn:certfarm:0011223344556677:node:web1");
    expect(text).toContain("CA:FALSE");
    expect(text).toContain("TLS Web Server Authentication, TLS Web Client Authentication");
    expect(text).not.toContain("DNS:");
  });

  test("is verified under an authority that OpenSSL made, with a name of several parts and a key identifier of its own", async () => {
    folder.openssl("ecparam -name prime256v1 -genkey -noout -out ca.key");
    folder.openssl(
      "req -x509 -new -key ca.key -days 30 -subj /C=DE/O=Example/CN=Farm -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign -out ca.pem",
    );
    const authority = {
      certificatePem: folder.openssl("x509 -in ca.pem"),
      keyPem: new Secret(folder.openssl("pkcs8 -topk8 -nocrypt -in ca.key")),
    };
    folder.write(
      "leaf2.pem",
      await issueIdentity(authority, { subject: "x", uri: "urn:certfarm:0011223344556677:admin:ops", spki, ...life }),
    );
    expect(folder.openssl("verify -CAfile ca.pem -x509_strict -purpose sslclient leaf2.pem")).toContain("leaf2.pem: OK");
  });
});

describe("a certification request", () => {
  test("is verified by OpenSSL, and gives its key back", () => {
    const pem = makeCertificateRequest(privateKey, "web1 ☃");
    folder.write("request.pem", pem);
    expect(folder.openssl("req -in request.pem -verify -noout -subject -nameopt utf8")).toContain("web1 ☃");
    expect(readCertificateRequest(pem)).toEqual(spki);
  });

  test("that OpenSSL made is read", () => {
    const pem = folder.openssl("req -new -key key.pem -subj /CN=web1");
    expect(readCertificateRequest(pem)).toEqual(spki);
  });

  test("with one octet changed anywhere is refused", () => {
    const der = Buffer.from(makeCertificateRequest(privateKey, "web1").replaceAll(/-----.*-----|\n/g, ""), "base64");
    assert(
      property(nat(der.length - 1), integer({ min: 1, max: 255 }), (at, change) => {
        const changed = Buffer.from(der);
        changed[at] = (changed[at] ?? 0) ^ change;
        const pem = `-----BEGIN CERTIFICATE REQUEST-----\n${changed.toString("base64")}\n-----END CERTIFICATE REQUEST-----\n`;
        expect(() => readCertificateRequest(pem)).toThrow(FarmError);
      }),
      { numRuns: 300 },
    );
  });

  test.each([
    ["for an RSA key", "rsa:2048"],
    ["for a key of another curve", "ec -pkeyopt ec_paramgen_curve:secp384r1"],
  ])("%s is refused", (_, key) => {
    const pem = folder.openssl(`req -new -newkey ${key} -nodes -keyout other.key -subj /CN=web1`);
    expect(() => readCertificateRequest(pem)).toThrow(/certification request/);
  });

  test("that is no request is refused", () => {
    expect(() => readCertificateRequest("")).toThrow(FarmError);
    expect(() => readCertificateRequest("-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n")).toThrow(/no PEM block/);
    expect(() => readCertificateRequest("x".repeat(20_000))).toThrow(/larger/);
  });
});
