import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { partName, versionOf } from "./key-path.ts";

describe("the directory name of a part of a key", () => {
  it.each([
    ["a plain name stays readable", "web1-a_b", "web1-a_b"],
    ["a host name stays readable", "www.example.com", "www.example.com"],
    ["a wildcard is escaped", "*.example.com", "%2a.example.com"],
    ["upper case is escaped, since file systems fold case", "Web", "%57eb"],
    ["the escape itself is escaped", "%41", "%2541"],
    ["a version's mark is escaped", "@1", "%401"],
    ["a device name is escaped", "con", "%63on"],
    ["a device name with an extension is escaped", "nul.txt", "%6eul.txt"],
    ["a name that only begins like a device stays", "console", "console"],
    ["a dot at the start is escaped, since it hides files", ".hidden", "%2ehidden"],
    ["a dot at the end is escaped, since Windows drops it", "a.", "a%2e"],
    ["a blank at the end is escaped, since Windows drops it", "a ", "a%20"],
    ["letters beyond ASCII are escaped, since file systems normalise them", "ü", "%c3%bc"],
  ])("%s", (_name, part, name) => {
    expect(partName(part)).toBe(name);
  });

  const part = fc.oneof(
    fc.string({ minLength: 1, maxLength: 200 }),
    fc.string({ unit: "grapheme", minLength: 1, maxLength: 60 }),
    fc.constantFrom("con", "CON", "a.", "%", "x".repeat(200)),
  );

  it("is short, safe on every file system and never a version's", () => {
    fc.assert(
      fc.property(part, (text) => {
        const name = partName(text);
        expect(name).toMatch(/^[a-z0-9_%-](?:[a-z0-9_.%-]*[a-z0-9_%-])?$/);
        expect(name.length).toBeLessThanOrEqual(100);
        expect(name).not.toMatch(/^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/);
        expect(versionOf(name)).toBeUndefined();
      }),
    );
  });

  it("is another for every other part, also where case is folded", () => {
    fc.assert(
      fc.property(part, part, (one, two) => {
        fc.pre(one !== two);
        expect(partName(one).toLowerCase()).not.toBe(partName(two).toLowerCase());
      }),
    );
    expect(partName("x".repeat(200))).not.toBe(partName("X".repeat(200)));
    expect(partName("x".repeat(199))).not.toBe(partName("x".repeat(200)));
  });
});
