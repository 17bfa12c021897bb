import { createHash } from "node:crypto";

import { describe, expect, test } from "vitest";

import { HASH } from "../hashes.ts";
import { bmpPassword } from "../testing/pfx-builder.ts";
import { pkcs12Kdf } from "./kdf.ts";
import { hashRepeatedly } from "./repeated-hash.ts";

describe("hashing a digest again and again", () => {
  test.each(["sha1", "sha256", "sha224", "sha384", "sha512", "sha512-256", "md5"])("with %s gives what node:crypto gives", (name) => {
    for (const text of ["", "a", "certfarm"]) {
      const start: Uint8Array = createHash(name).update(text).digest();
      let expected = start;
      for (let times = 0; times < 60; times++) {
        expect(Buffer.from(hashRepeatedly(name, start, times))).toEqual(Buffer.from(expected));
        expected = createHash(name).update(expected).digest();
      }
    }
  });
});

// Vectors that implementations have passed around since the PKCS#12 interoperability tests of the 1990s.
describe("the PKCS#12 key derivation", () => {
  test.each<[string, string, number, 1 | 2 | 3, string]>([
    ["smeg", "0a58cf64530d823f", 1, 1, "8aaae6297b6cb04642ab5b077851284eb7128f1a2a7fbca3"],
    ["smeg", "0a58cf64530d823f", 1, 2, "79993dfe048d3b76"],
    ["smeg", "642b99ab44fb4b1f", 1, 1, "f3a95fec48d7711e985cfe67908c5ab79fa3d7c5caa5d966"],
    ["smeg", "3d83c0e4546ac140", 1, 3, "8d967d88f6caa9d714800ab3d48051d63f73a312"],
    ["queeg", "05dec959acff72f7", 1000, 1, "ed2034e36328830ff09df1e1a07dd357185dac0d4f9eb3d4"],
  ])("of %s with salt %s, %d iterations and purpose %d gives %s", async (password, salt, iterations, purpose, expected) => {
    const derived = await pkcs12Kdf({
      hash: HASH.sha1,
      password: bmpPassword(password),
      salt: Buffer.from(salt, "hex"),
      iterations,
      purpose,
      length: expected.length / 2,
    });
    expect(Buffer.from(derived).toString("hex")).toBe(expected);
  });

  test("lets other work run between slices", async () => {
    let turns = 0;
    const ticking = setInterval(() => turns++, 1);
    await pkcs12Kdf({ hash: HASH.sha1, password: new Uint8Array(2), salt: new Uint8Array(8), iterations: 300_000, purpose: 3, length: 20 });
    clearInterval(ticking);
    expect(turns).toBeGreaterThan(2);
  });
});
