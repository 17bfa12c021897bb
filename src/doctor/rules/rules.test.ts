import { readdirSync } from "node:fs";

import { describe, expect, test } from "vitest";

import { RULES } from "./index.ts";

const names = readdirSync(new URL(".", import.meta.url));
const files = names
  .filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts") && name !== "index.ts")
  .map((name) => name.slice(0, -3));

describe("the list of rules", () => {
  test("holds every rule file, each under the code that names the file, in order", () => {
    expect(RULES.map(({ code }) => code)).toEqual(files.toSorted((a, b) => (a < b ? -1 : 1)));
    expect(files.length).toBeGreaterThan(50);
  });

  test("every rule has its table test beside it", () => {
    const tested = new Set(names.filter((name) => name.endsWith(".test.ts")).map((name) => name.slice(0, -".test.ts".length)));
    expect(files.filter((file) => !tested.has(file))).toEqual([]);
  });

  test("no two rules have the same title", () => {
    expect(new Set(RULES.map(({ title }) => title)).size).toBe(RULES.length);
  });
});

describe.each(RULES.map((rule) => [rule.code, rule] as const))("%s", (code, { title, source, explains, remedy }) => {
  test("has a code in kebab case, a title without a full stop, and texts that say something", () => {
    expect(code).toMatch(/^[a-z][a-z0-9]*(?:-[a-z0-9]+)+$/);
    expect(title).toMatch(/^[A-Z\d][^\n]{8,80}[^.!?\s]$/);
    expect(source.trim()).not.toBe("");
    expect(explains).toMatch(/^[A-Z\d`].{40,}[.`]$/s);
    expect(remedy).toMatch(/^.{20,}[.`]$/s);
  });

  test("names sources that are addresses, or pages of these docs", () => {
    for (const part of source.split("; ")) expect(part).toMatch(/^(?:https:\/\/\S+|docs\/[\w/-]+\.md|RFC \d+.*)$/);
  });
});
