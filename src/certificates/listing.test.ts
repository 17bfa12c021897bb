import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

import { describe, expect, it } from "vitest";

import { parseHostPattern, type HostPattern } from "../base/index.ts";
import { Listing } from "./listing.ts";

const pattern = (text: string): HostPattern => {
  const parsed = parseHostPattern(text);
  if (parsed === undefined) throw new Error(text);
  return parsed;
};

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void; // what the flag exposes

function listingOf(...names: string[]): Listing {
  const listing = new Listing();
  for (const name of names) listing.add(name);
  return listing;
}

describe("the listing", () => {
  it("finds every spelling of a host's files and no other host's", () => {
    const files = ["www.example.com.pfx", "WWW.example.com.pfx", "www.example.com.rsa.pfx", "www.example.com.ecdsa.pem"];
    const listing = listingOf(...files, "_.example.com.pfx", "example.com.pfx", "readme.txt", "www.example.com.key");
    expect(new Set(listing.filesFor(pattern("www.example.com")))).toEqual(new Set(files));
    expect(listing.filesFor(pattern("*.example.com"))).toEqual(["_.example.com.pfx"]);
    expect(listing.filesFor(pattern("example.org"))).toEqual([]);
    expect(listing.listed).toBe(6);
  });

  it("finds an IDN in composed, decomposed and A-label form", () => {
    const files = ["b\u00fccher.example.pfx", "bu\u0308cher.example.pem", "xn--bcher-kva.example.p12"];
    expect(new Set(listingOf(...files).filesFor(pattern("bücher.example")))).toEqual(new Set(files));
  });

  it("gives no file to hosts whose names look like a wildcard's, a key type's or the default's", () => {
    const listing = listingOf("_.example.com.pfx", "x.rsa.pfx", "default.pfx", "www._.example.com.pfx");
    for (const host of ["_.example.com", "x.rsa", "default", "www._.example.com"]) expect(listing.filesFor(pattern(host))).toEqual([]);
    expect(listing.filesFor(pattern("x"))).toEqual(["x.rsa.pfx"]);
  });

  it("finds a row's file in another case", () => {
    expect(listingOf("WWW.Example.com.pfx").resolve("www.example.com.PFX")).toBe("WWW.Example.com.pfx");
    expect(listingOf("default.pfx").resolve("default.pfx")).toBe("default.pfx");
    expect(listingOf("default.pfx").resolve("other.pfx")).toBeUndefined();
  });

  it("pairs a certificate with the key of the same name, in any case, both ways", () => {
    const listing = listingOf(
      "www.example.com.crt",
      "WWW.example.com.KEY",
      "default.pem",
      "default.key",
      "a.example.rsa.crt",
      "a.example.key",
    );
    expect(listing.keyFileOf("www.example.com.crt")).toBe("WWW.example.com.KEY");
    expect(listing.filesOfKey("WWW.example.com.KEY")).toEqual(["www.example.com.crt"]);
    expect(listing.keyFileOf("default.pem")).toBe("default.key");
    expect(listing.keyFileOf("a.example.rsa.crt")).toBeUndefined();
  });

  it("tells what came and went, and forgets what went", async () => {
    const listing = listingOf("a.example.pfx", "B.example.pfx", "c.example.pfx");
    expect(await listing.replace(["a.example.pfx", "d.example.pfx"])).toEqual({
      added: ["d.example.pfx"],
      removed: ["B.example.pfx", "c.example.pfx"],
    });
    expect(listing.filesFor(pattern("b.example"))).toEqual([]);
    expect(listing.filesFor(pattern("d.example"))).toEqual(["d.example.pfx"]);
    expect(listing.add("E.example.pem")).toBe(true);
    expect(listing.add("E.example.pem")).toBe(false);
    expect(listing.filesFor(pattern("e.example"))).toEqual(["E.example.pem"]);
    expect(listing.delete("E.example.pem")).toBe(true);
    expect(listing.filesFor(pattern("e.example"))).toEqual([]);
    expect(listing.listed).toBe(2);
  });

  it("takes 100,000 names in less than 3 MB of the heap and 10 MB outside of it, and lets others run meanwhile", async () => {
    const names = Array.from({ length: 100_000 }, (_, i) => `host-${i}.shop.example.com.pfx`);
    const listing = new Listing();
    collectGarbage();
    const before = process.memoryUsage();
    let turns = 0;
    const timer = setInterval(() => (turns += 1), 0);
    await listing.replace(names);
    clearInterval(timer);
    expect(listing.filesFor(pattern("host-99999.shop.example.com"))).toEqual(["host-99999.shop.example.com.pfx"]);
    collectGarbage();
    const after = process.memoryUsage();
    expect(after.heapUsed - before.heapUsed).toBeLessThan(3 << 20);
    expect(after.arrayBuffers - before.arrayBuffers).toBeLessThan(10 << 20);
    expect(turns).toBeGreaterThan(3);
  });
});
