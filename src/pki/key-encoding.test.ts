import { createPrivateKey, generateKeyPairSync } from "node:crypto";

import { describe, expect, test } from "vitest";

import { der } from "./der.ts";
import { readKey } from "./key-encoding.ts";
import { Issuing, read } from "./testing/fixture.ts";
import { buildPfx, certificateBag, dataSafe, keyBag } from "./testing/pfx-builder.ts";
import { childrenOf, readValue } from "./tlv.ts";

const ed25519 = generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "der" });

/** A PKCS#8 key with fields after its three. */
const withFields = (pkcs8: Uint8Array, version: number, ...fields: readonly Uint8Array[]): Uint8Array => {
  const [, algorithm, key] = childrenOf(readValue(pkcs8)).map((part) => part.raw);
  return der.sequence(der.integer(version), algorithm ?? der.null(), key ?? der.null(), ...fields);
};

const usage = (bits: number): Uint8Array => der.context(0, der.sequence(der.oid("2.5.29.15"), der.set(Uint8Array.of(3, 2, 0, bits))));

describe("a private key", () => {
  test("of version 2 with its public key is read as version 1, which every OpenSSL takes", () => {
    const { pkcs8 } = readKey(withFields(ed25519, 1, der.context(0), der.primitive(1, new Uint8Array(33))), 32);
    expect(Buffer.from(pkcs8)).toEqual(Buffer.from(ed25519));
    expect(createPrivateKey({ key: Buffer.from(pkcs8), format: "der", type: "pkcs8" }).asymmetricKeyType).toBe("ed25519");
  });

  test.each([
    ["AT_SIGNATURE", 0x80, true],
    ["AT_KEYEXCHANGE", 0x10, false],
  ])("that Windows marked %s is told so only when it matters", async (_, bits, isMarked) => {
    const web = await new Issuing().issue({ names: ["www.example.com"] });
    const reading = await read(
      await buildPfx([dataSafe(certificateBag(web.certificateDer), keyBag(withFields(web.pkcs8, 0, usage(bits))))]),
    );
    expect(reading.status).toBe("ok");
    expect(reading.facts?.warnings.some((warning) => warning.includes("AT_SIGNATURE"))).toBe(isMarked);
    expect(reading.prepared?.keyPem.reveal()).toBe(web.keyPem.reveal());
  });

  test.each([
    ["of version 3", withFields(ed25519, 2), /version/],
    ["that is an empty SEQUENCE", der.sequence(), /neither PKCS#8 nor PKCS#1 nor SEC1/],
    ["in SEC1 form without a curve", der.sequence(der.integer(1), der.octets(new Uint8Array(32))), /names no curve/],
    ["that is no SEQUENCE", der.integer(1), /not an ASN.1 SEQUENCE/],
  ])("%s is refused", (_, bytes, problem) => {
    expect(() => readKey(bytes, 32)).toThrow(problem);
  });

  test("beside an empty key file is not looked for", async () => {
    const web = await new Issuing().issue({ names: ["www.example.com"] });
    expect(await read(Buffer.from(web.chainPem), [], { keyBytes: new Uint8Array(0) })).toMatchObject({
      status: "malformed",
      problem: "the key file is empty (0 octets)",
    });
  });

  test("of a kind that OpenSSL does not know is told by name", async () => {
    const web = await new Issuing().issue({ names: ["www.example.com"] });
    const gost = der.sequence(der.integer(0), der.sequence(der.oid("1.2.643.7.1.1.1.1")), der.octets(new Uint8Array(32)));
    expect(await read(await buildPfx([dataSafe(certificateBag(web.certificateDer), keyBag(gost))]))).toMatchObject({
      status: "unsupported-algorithm",
      problem: expect.stringContaining("GOST R 34.10-2012") as unknown,
    });
  });
});
