import * as fc from "fast-check";
import { expect, it } from "vitest";

import { decodeVersion, encodeVersion, newRev, type VersionHeader } from "./version-file.ts";

const header = (key: string, value: Uint8Array): VersionHeader => ({
  key,
  rev: newRev(7),
  ancestors: [newRev(6), newRev(5)],
  length: value.byteLength,
  removed: false,
});
const keyAndValue = fc.tuple(fc.string({ unit: "grapheme", minLength: 1, maxLength: 50 }), fc.uint8Array({ maxLength: 300 }));

it("gives back the key, the header and the value", () => {
  fc.assert(
    fc.property(keyAndValue, ([key, value]) => {
      const wanted = header(key, value);
      expect(decodeVersion(Buffer.from(encodeVersion(wanted, value)))).toEqual({ header: wanted, value });
    }),
  );
});

it("never takes a cut, a changed or a lengthened file for whole", () => {
  fc.assert(
    fc.property(keyAndValue, fc.nat(), fc.integer({ min: 1, max: 255 }), ([key, value], place, change) => {
      const bytes = Buffer.from(encodeVersion(header(key, value), value));
      const at = place % bytes.length;
      expect(["short", "damaged"]).toContain(decodeVersion(bytes.subarray(0, at)));
      expect(decodeVersion(Buffer.concat([bytes, Buffer.from([change])]))).toBe("damaged");
      const changed = Buffer.from(bytes);
      changed.writeUInt8((changed.readUInt8(at) + change) % 256, at);
      expect(["short", "damaged"]).toContain(decodeVersion(changed));
    }),
  );
});

it("takes a file that was preallocated with zeros for damaged or unfinished", () => {
  for (const length of [0, 10, 84, 85, 500]) expect(["short", "damaged"]).toContain(decodeVersion(Buffer.alloc(length)));
});
