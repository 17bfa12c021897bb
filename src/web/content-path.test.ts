import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { contentPath, urlPath } from "./content-path.ts";
import { parseAuthority, parseTarget } from "./request-target.ts";

/** Pieces that hostile paths are made of. */
const piece = fc.oneof(
  fc.constantFrom(
    "..",
    ".",
    "%2e",
    "%2E%2e",
    "/",
    "//",
    "%2f",
    "\\",
    "%5c",
    "%00",
    "\0",
    "%",
    "%c0%ae",
    "%252e",
    "~",
    ":",
    " ",
    "%20",
    ".well-known",
    ".env",
    "CON",
  ),
  fc.string({ unit: "grapheme", maxLength: 8 }),
);
const hostile = fc.array(piece, { maxLength: 12 }).map((pieces) => `/${pieces.join("")}`);

describe("a path of a request", () => {
  it("never comes out with a segment that leaves or hides, whatever went in", () => {
    fc.assert(
      fc.property(hostile, (raw) => {
        const result = contentPath(raw);
        if (result.kind !== "path") return;
        const segments = result.path.split("/");
        const hidden = segments.filter((segment, at) => segment.startsWith(".") && !(at === 0 && segment === ".well-known"));
        expect(hidden).toEqual([]);
        expect(segments.slice(0, -1)).not.toContain("");
        for (const char of result.path) expect(char >= " " && char !== "\\" && char !== "\u007f").toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });

  it("comes back as it was when it is written as a URL", () => {
    const segment = fc
      .string({ unit: "grapheme", minLength: 1, maxLength: 12 })
      .filter((text) => !text.startsWith(".") && !/[/\\\p{Cc}\p{Cs}]/u.test(text));
    fc.assert(
      fc.property(fc.array(segment, { minLength: 1, maxLength: 5 }), (segments) => {
        const path = segments.join("/");
        expect(contentPath(urlPath(path))).toEqual({ kind: "path", path });
      }),
    );
  });
});

describe("an authority", () => {
  it("in its normal form is read as itself, and nothing in it can end a header line or a URL's host", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: "binary", maxLength: 40 }),
          fc.domain(),
          fc.ipV4(),
          fc.ipV6().map((ip) => `[${ip}]`),
        ),
        (text) => {
          const authority = parseAuthority(text);
          if (authority === undefined) return;
          expect(authority.text).toMatch(/^(?:[a-z0-9._-]+|\[[0-9a-f:]+\])$/);
          expect(parseAuthority(authority.text)?.text).toBe(authority.text);
        },
      ),
      { numRuns: 1_000 },
    );
  });
});

describe("a request target", () => {
  it("is visible ASCII in every part that may go into a Location", () => {
    fc.assert(
      fc.property(fc.oneof(hostile, fc.webUrl({ withQueryParameters: true })), (url) => {
        const target = parseTarget(url);
        if (target === undefined) return;
        expect(target.path + target.query).toMatch(/^\/[\x21-\x7e]*$/);
        expect(target.query === "" || target.query.startsWith("?")).toBe(true);
      }),
    );
  });
});
