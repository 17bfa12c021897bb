import { describe, expect, it } from "vitest";

import { requireHostName, type HostPattern } from "../base/index.ts";
import { createCoveringNames } from "./covering.ts";

const names = (...texts: string[]): HostPattern[] => texts as HostPattern[]; // already in normal form
const host = requireHostName;

describe("names beyond those of the files", () => {
  it("lead to the files that cover a host, by its own name or its wildcard", () => {
    const covering = createCoveringNames(10);
    expect(covering.learn("a.pfx", "1", names("shop.example", "*.wild.example"))).toBe(true);
    expect(covering.learn("b.pfx", "1", names("x.wild.example"))).toBe(true);
    expect(covering.filesFor(host("shop.example"))).toEqual(["a.pfx"]);
    expect(covering.filesFor(host("x.wild.example"))).toEqual(["b.pfx", "a.pfx"]);
    expect(covering.filesFor(host("deep.x.wild.example"))).toEqual([]);
  });

  it("follow a file's new version", () => {
    const covering = createCoveringNames(10);
    covering.learn("a.pfx", "1", names("old.example", "both.example"));
    expect(covering.learn("a.pfx", "2", names("both.example"))).toBe(false);
    expect(covering.filesFor(host("old.example"))).toEqual([]);
    expect(covering.get("a.pfx")).toEqual({ stamp: "2", names: ["both.example"] });
    expect(covering.forget("a.pfx")).toBe(true);
    expect(covering.filesFor(host("both.example"))).toEqual([]);
    expect(covering.forget("a.pfx")).toBe(false);
  });

  it("are bounded in files, in names, and in files for one name", () => {
    const covering = createCoveringNames(10);
    for (let i = 0; i < 20; i += 1) covering.learn(`${i}.pfx`, "1", names("same.example"));
    expect(covering.files).toBe(10);
    expect(covering.filesFor(host("same.example"))).toHaveLength(4);
    covering.forget("0.pfx");
    expect(covering.learn("many.pfx", "1", names(...Array.from({ length: 400 }, (_, i) => `n${i}.example`)))).toBe(false);
    expect(covering.filesFor(host("n1.example"))).toEqual([]);
  });
});
