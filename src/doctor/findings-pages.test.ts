import { readdirSync, readFileSync } from "node:fs";

import { expect, test } from "vitest";

import { findingsPages } from "./findings-pages.ts";
import { RULES } from "./rules/index.ts";

const FOLDER = new URL("../../docs/findings/", import.meta.url);
const pages = findingsPages(RULES);

test("docs/findings/ has a page for each rule and an index, and nothing else", () => {
  expect(new Set(readdirSync(FOLDER))).toEqual(new Set(pages.keys()));
  expect(pages.size).toBe(RULES.length + 1);
});

test.each([...pages])(
  "docs/findings/%s is what the rules generate: run `node scripts/write-findings-pages.mjs` after a build",
  (name, text) => {
    expect(readFileSync(new URL(name, FOLDER), "utf8")).toBe(text);
  },
);
