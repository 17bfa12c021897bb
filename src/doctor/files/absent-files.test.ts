import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { guessesOf } from "./absent-files.ts";

describe("what a file was possibly meant for", () => {
  test.each<[string, string[]]>([
    ["www.example.com.pfx", ["www.example.com"]],
    ["example.com.pfx", ["example.com", "www.example.com"]],
    ["*.example.com.pfx", ["*.example.com"]],
    ["star_example.com.pfx", ["*.example.com"]],
    ["wildcard.example.com.p12", ["*.example.com"]],
    ["example.com-all.pfx", ["example.com", "*.example.com", "www.example.com"]],
    ["shop.example.com - Copy (2).pfx", ["shop.example.com", "www.shop.example.com"]],
    ["shop.example.com_20260615.pfx.bak", ["shop.example.com", "www.shop.example.com"]],
    [String.raw`old\shop.example.com.pfx`, ["shop.example.com", "www.shop.example.com"]],
    ["readme.md", []],
    ["localhost.pfx", []],
    ["CON.pfx", []],
  ])("%s", (name, expected) => {
    expect(guessesOf(name)).toEqual(expected);
  });

  test("hostile names break nothing, and cost little", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 2_000 }), (name) => {
        expect(guessesOf(`${name}.pfx`).length).toBeLessThanOrEqual(3);
      }),
    );
    const started = performance.now();
    for (const name of ["-new".repeat(70), " - a".repeat(70), " (1)".repeat(70), ".pfx".repeat(70), "\t".repeat(280)])
      guessesOf(`${name}!.pfx`);
    expect(performance.now() - started).toBeLessThan(500);
  });
});
