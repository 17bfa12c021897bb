import { readFileSync } from "node:fs";

import { expect, test } from "vitest";

import { errorsPage } from "./errors-page.ts";
import { ERRORS } from "./errors.ts";

const page = readFileSync(new URL("../../docs/errors.md", import.meta.url), "utf8");

test("docs/errors.md is what the table generates: run `node scripts/write-errors-page.mjs` after a build", () => {
  expect(page).toBe(errorsPage());
});

test("every code has its heading in docs/errors.md, and every heading is a code", () => {
  const headings = [...page.matchAll(/^## (\w+)$/gm)].map((match) => match[1]);
  expect(new Set(headings)).toEqual(new Set(Object.keys(ERRORS)));
  expect(headings).toHaveLength(Object.keys(ERRORS).length);
});
