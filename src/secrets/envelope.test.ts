import { createSecretKey, randomBytes } from "node:crypto";
import { inspect } from "node:util";

import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { isSealed, openValue, readSealedHeader, SEALING_BYTES, sealValue } from "./envelope.ts";

const key = createSecretKey(randomBytes(32));
const place = { farm: "f1", name: "certificates/www.example.com.pem" };
const bytes = fc.uint8Array({ maxLength: 400 });
const header = fc.record({ generation: fc.integer({ min: 0, max: 0xffff_ffff }), version: fc.maxSafeNat() });
const name = fc.string({ maxLength: 60 });

describe("a sealed value", () => {
  it("opens to what was sealed, whatever it is, and says its data key and version", () => {
    fc.assert(
      fc.property(bytes, header, name, (plain, head, where) => {
        const sealed = sealValue(key, { farm: "f", name: where }, head, plain);
        expect(isSealed(sealed)).toBe(true);
        expect(sealed).toHaveLength(plain.length + SEALING_BYTES);
        expect(readSealedHeader(sealed, where)).toEqual(head);
        expect(openValue(key, { farm: "f", name: where }, sealed)).toEqual(plain);
      }),
    );
  });

  it("is refused when any one octet of it is another", () => {
    const sealed = sealValue(key, place, { generation: 3, version: 7 }, Buffer.from("a private key"));
    for (let at = 0; at < sealed.length; at += 1) {
      for (const bit of [1, 128]) {
        const changed = sealed.map((octet, index) => (index === at ? octet ^ bit : octet));
        expect(() => openValue(key, place, changed), `octet ${at}`).toThrow(expect.objectContaining({ name: "FarmError" }));
      }
    }
  });

  it("is refused when it is cut or lengthened anywhere, with an error that names it", () => {
    const sealed = sealValue(key, place, { generation: 1, version: 1 }, randomBytes(50));
    fc.assert(
      fc.property(fc.integer({ min: 0, max: sealed.length - 1 }), (length) => {
        expect(() => openValue(key, place, sealed.subarray(0, length))).toThrow(
          expect.objectContaining({ code: "SECRETS_TAMPERED", message: expect.stringContaining(place.name) as string }),
        );
      }),
    );
    expect(() => openValue(key, place, Buffer.concat([sealed, Buffer.of(0)]))).toThrow(
      expect.objectContaining({ code: "SECRETS_TAMPERED" }),
    );
  });

  it.each([
    ["another name", { ...place, name: "certificates/shop.example.com.pem" }],
    ["another folder", { ...place, name: "state/www.example.com.pem" }],
    ["another farm", { ...place, farm: "f2" }],
    ["a name and farm that read alike when joined", { farm: "f1certificates", name: "/www.example.com.pem" }],
  ])("does not open under %s", (_what, other) => {
    const sealed = sealValue(key, place, { generation: 1, version: 1 }, randomBytes(9));
    expect(() => openValue(key, other, sealed)).toThrow(expect.objectContaining({ code: "SECRETS_TAMPERED" }));
  });

  it("does not open under another key", () => {
    const sealed = sealValue(key, place, { generation: 1, version: 1 }, randomBytes(9));
    expect(() => openValue(createSecretKey(randomBytes(32)), place, sealed)).toThrow(expect.objectContaining({ code: "SECRETS_TAMPERED" }));
  });

  it("is another one each time, and never holds its plaintext", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 8, maxLength: 100 }), (plain) => {
        const [one, two] = [0, 1].map(() => Buffer.from(sealValue(key, place, { generation: 1, version: 1 }, plain)));
        expect(one?.equals(two ?? Buffer.of())).toBe(false);
        expect(one?.includes(Buffer.from(plain))).toBe(false);
      }),
    );
  });

  it("of a form to come is told apart from damage", () => {
    const sealed = Buffer.from(sealValue(key, place, { generation: 1, version: 1 }, randomBytes(9)));
    sealed[7] = 2;
    expect(() => openValue(key, place, sealed)).toThrow(expect.objectContaining({ code: "SECRETS_NEWER" }));
  });

  it("is told apart from files that people drop into a folder", () => {
    for (const plain of ["", "-----BEGIN CERTIFICATE-----", "\u{30}\u{82}", "{", "CFSEAL", "\u{cf}CFSEAL"]) {
      expect(isSealed(Buffer.from(plain)), plain).toBe(false);
    }
  });

  it("shows nothing of a key or plaintext in its errors", () => {
    const sealed = sealValue(key, place, { generation: 1, version: 1 }, Buffer.from("horse battery"));
    let thrown: unknown;
    try {
      openValue(key, { ...place, name: "x" }, sealed);
    } catch (error) {
      thrown = error;
    }
    const shown = [
      inspect(thrown, { depth: 9, showHidden: true }),
      JSON.stringify(thrown),
      inspect(key, { showHidden: true, depth: 9 }),
    ].join();
    const secrets = [key.export().toString("hex"), key.export().toString("base64"), "horse"];
    for (const secret of secrets) expect(shown).not.toContain(secret);
  });
});
