import { createHash } from "node:crypto";

import { describe, expect, test } from "vitest";

import { hashRepeatedly } from "./repeated-hash.ts";

describe("hashing a digest again and again", () => {
  test.each(["sha1", "sha256", "sha224", "sha384", "sha512", "sha512-256", "md5"])("with %s gives what node:crypto gives", (name) => {
    for (const text of ["", "a", "certfarm"]) {
      let expected: Buffer = createHash(name).update(text).digest();
      const start = expected;
      for (const times of [0, 1, 2, 57]) {
        for (let done = 0; done < (times === 57 ? 54 : Math.min(times, 1)); done++) expected = createHash(name).update(expected).digest();
        const total = times === 57 ? 56 : times;
        expect(Buffer.from(hashRepeatedly(name, start, total))).toEqual(expected);
      }
    }
  });
});
