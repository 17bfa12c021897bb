import { existsSync, readFileSync } from "node:fs";

import { expect, test } from "vitest";

const page = readFileSync(new URL("../docs/security.md", import.meta.url), "utf8");
const claims = [...page.matchAll(/`((?:src|test)\/[^`]+\.test\.ts)`: "([^"]+)"/g)].map(
  ([, file = "", title = ""]) => [file, title] as const,
);

test("docs/security.md links its claims to tests", () => {
  expect(claims.length).toBeGreaterThan(25);
  const rows = page.split("\n").filter((line) => /^\| .* \|$/.test(line) && line.includes(".test.ts"));
  expect(rows.length).toBe(claims.length);
});

test.each(claims)("%s has a test %s", (file, title) => {
  const path = new URL(`../${file}`, import.meta.url);
  expect(existsSync(path)).toBe(true);
  expect(readFileSync(path, "utf8")).toContain(title);
});
