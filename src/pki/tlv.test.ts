import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { der } from "./der.ts";
import { toBer } from "./testing/ber.ts";
import { childrenOf, encode, integerOf, oidOf, readValue, scan, toDefinite } from "./tlv.ts";

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(" ", ""), "hex");

/** Trees of sequences, sets and primitive values. */
const { tree } = fc.letrec<{ tree: Uint8Array }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 5 },
    fc.uint8Array({ maxLength: 300 }).map((body) => der.octets(body)),
    fc.nat().map((value) => der.integer(value)),
    fc.array(tie("tree"), { maxLength: 4 }).map((parts) => der.sequence(...parts)),
    fc.array(tie("tree"), { maxLength: 3 }).map((parts) => der.context(1, ...parts)),
  ),
}));

describe("BER", () => {
  test("becomes the DER that it was made from, whatever the pieces", () => {
    fc.assert(
      fc.property(tree, fc.integer({ min: 1, max: 400 }), fc.uint8Array({ maxLength: 9 }), (value, piece, after) => {
        const { der: back, rest } = toDefinite(Buffer.concat([toBer(value, piece), after]), 32);
        expect(Buffer.from(back)).toEqual(Buffer.from(value));
        expect(rest).toBe(after.length);
      }),
    );
  });

  test("that is DER already is not copied", () => {
    const value = der.sequence(der.integer(1), der.octets(Buffer.alloc(200)));
    expect(toDefinite(value, 32).der.buffer).toBe(value.buffer);
  });

  test("with a BIT STRING in pieces keeps the unused bits of the last piece", () => {
    const { der: joined } = toDefinite(hex("23 80 03 03 00 0a 3b 03 03 04 5f 20 00 00"), 32);
    expect(Buffer.from(joined)).toEqual(hex("03 05 04 0a 3b 5f 20"));
  });

  test("of any octets is refused with a typed error or read without running over its end", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        try {
          expect(scan(bytes, 8).end).toBeLessThanOrEqual(bytes.length);
          toDefinite(bytes, 8);
        } catch (thrown) {
          expect(thrown).toMatchObject({ code: expect.stringMatching(/^CERTIFICATE_(MALFORMED|TOO_COSTLY)$/) as unknown });
        }
      }),
      { numRuns: 2000 },
    );
  });

  test.each([
    ["ends inside a header", "30", /ends inside/],
    ["ends inside a length", "30 82 01", /ends inside/],
    ["claims more than there is", "04 05 00", /claims 5 octets where 1 are left/],
    ["claims more than its parent has", "30 03 04 05 00 00 00 00 00 00", /claims 5 octets where 1 are left/],
    ["has an indefinite primitive value", "04 80 00 00", /indefinite length on a primitive/],
    ["never ends its indefinite value", "30 80 05 00", /ends inside/],
    ["has a tag of several octets", "1f 81 00 00", /multi-octet/],
  ])("that %s is malformed", (_, text, problem) => {
    expect(() => scan(hex(text), 32)).toThrow(problem);
  });
});

describe("values", () => {
  test("are written and read alike", () => {
    fc.assert(
      fc.property(
        fc.maxSafeNat().filter((value) => value < 2 ** 47),
        (value) => {
          expect(integerOf(readValue(der.integer(value)), "x")).toBe(value);
        },
      ),
    );
    const arcs = fc.array(fc.nat(), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 }), fc.integer({ min: 0, max: 39 }), arcs, (root, second, rest) => {
        const dotted = [root, second, ...rest].join(".");
        expect(oidOf(readValue(der.oid(dotted)), "x")).toBe(dotted);
      }),
    );
  });

  test("of 128 and more octets have long lengths", () => {
    for (const length of [127, 128, 255, 256, 65_536]) {
      const value = encode(0x30, der.octets(new Uint8Array(length)));
      expect(childrenOf(readValue(value))[0]?.body.length).toBe(length);
    }
  });

  test.each([
    ["02 01 ff", /negative/],
    ["02 00", /not an ASN.1 INTEGER/],
    ["04 01 00", /not an ASN.1 INTEGER/],
  ])("%s is no count", (text, problem) => {
    expect(() => integerOf(readValue(hex(text)), "x")).toThrow(problem);
  });
});
