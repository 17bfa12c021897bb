import * as fc from "fast-check";
import { describe, expect, it, test } from "vitest";

import { parseProofFeed, saysDraining } from "./proof-feed.ts";

describe("parseProofFeed", () => {
  it("reads a feed and leaves out entries that make no sense", () => {
    const good = { host: "www.example.com", port: 443, proved: true };
    const bad = [{ ...good, host: "../x" }, { ...good, port: 0 }, { ...good, port: "443" }, { ...good, proved: "yes" }, null, 7];
    expect(parseProofFeed(JSON.stringify({ generation: 7, reset: true, changes: [good, ...bad] }))).toEqual({
      generation: 7,
      reset: true,
      changes: [good],
    });
  });
  test.each([
    ["text that is no JSON", "<html>"],
    ["a list", "[]"],
    ["null", "null"],
    ["no changes", '{"generation":1,"reset":false}'],
    ["a negative generation", '{"generation":-1,"changes":[]}'],
    ["a generation that is no whole number", '{"generation":1.5,"changes":[]}'],
    ["a generation as text", '{"generation":"1","changes":[]}'],
  ])("refuses %s", (_name, text) => {
    expect(parseProofFeed(text)).toBeUndefined();
  });
  it("never throws", () => {
    fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (text) => [parseProofFeed(text), saysDraining(text)].length === 2));
  });
});

test.each([
  ['{"draining":true}', true],
  ['{"ready":false,"draining":false}', false],
  ["draining", false],
  ["", false],
])("saysDraining of %j is %j", (text, expected) => {
  expect(saysDraining(text)).toBe(expected);
});
