import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { resolve, sep } from "node:path";

import { decodeManifest, encodeManifest, isSafeFolder, isSafePath } from "./manifest.ts";

const SHA = "0".repeat(64);
const file = (path: string) => ({ path, size: 1, sha256: SHA, mtimeMs: 1 });
const bytes = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));

describe("isSafePath", () => {
  it.each([
    ["a parent", "../x"],
    ["a parent in the middle", "a/../../x"],
    ["an absolute path", "/etc/passwd"],
    ["a NUL", "a\0b"],
    ["a line end", "a\nb"],
    ["half a surrogate pair", "a\ud800b"],
    ["a backslash", "a\\..\\b"],
    ["an empty part", "a//b"],
    ["a trailing slash", "a/"],
    ["the folder itself", "."],
    ["nothing", ""],
    ["a part of 256 bytes", "x".repeat(256)],
    ["a path over 1024 bytes", Array.from({ length: 300 }, () => "abcd").join("/")],
  ])("refuses %s", (_name, path) => {
    expect(isSafePath(path)).toBe(false);
  });

  it.each([["index.html"], [".well-known/x"], ["a/b/c d.txt"], ["ünï/…"], ["...a"], ["x".repeat(255)]])("takes %s", (path) => {
    expect(isSafePath(path)).toBe(true);
  });

  it("never lets a path out of its folder", () => {
    const part = fc.constantFrom("..", ".", "", "a", "..a", "/", "\\", "\0", "b/..");
    fc.assert(
      fc.property(fc.array(part, { maxLength: 8 }), (parts) => {
        const path = parts.join("/");
        if (isSafePath(path)) expect(resolve("/root/folder", path).startsWith(`/root/folder${sep}`)).toBe(true);
      }),
    );
  });
});

describe("isSafeFolder", () => {
  it.each([[".git"], ["a/b"], [".."], [""]])("refuses %s", (name) => expect(isSafeFolder(name)).toBe(false));
});

describe("manifests", () => {
  it("have one form, whatever the order of their files", () => {
    const one = encodeManifest({ folder: "www", files: [file("b"), file("a"), file("B")] });
    const other = encodeManifest({ folder: "www", files: [file("B"), file("a"), file("b")] });
    expect(one).toEqual(other);
    expect(decodeManifest(one, "www").files.map(({ path }) => path)).toEqual(["B", "a", "b"]);
  });

  it.each([
    ["a path that leads out", { folder: "www", files: [file("../x")] }],
    ["a path told twice", { folder: "www", files: [file("a"), file("a")] }],
    ["a file that is a folder too", { folder: "www", files: [file("a"), file("a-"), file("a/b")] }],
    ["another folder's files", { folder: "shop", files: [] }],
    ["a digest that is none", { folder: "www", files: [{ ...file("a"), sha256: "../../x" }] }],
    ["a negative size", { folder: "www", files: [{ ...file("a"), size: -1 }] }],
    ["no files", { folder: "www" }],
    ["something else", [1]],
  ])("are refused with %s", (_name, value) => {
    expect(() => decodeManifest(bytes(value), "www")).toThrow(expect.objectContaining({ code: "STORE_CORRUPT" }));
  });
});
