import { expect, it } from "vitest";

import { pathPartProblem } from "./file-name.ts";

it.each(["www", "www.example.com.pfx", "_.example.com.pfx", "münchen.de", "a b", "console", "com10.txt", "x".repeat(200)])(
  "accepts %j",
  (name) => expect(pathPartProblem(name)).toBeUndefined(),
);

it.each([
  "",
  ".",
  "..",
  "../www",
  "a/b",
  "a\\b",
  "/etc",
  "C:",
  "a\0b",
  "a\nb",
  ".hidden",
  "www.",
  "www ",
  "CON",
  "nul.txt",
  "lpt1.pfx",
  "a*b",
  "a\u202Eb",
  "x".repeat(201),
])("refuses %j", (name) => expect(pathPartProblem(name)).toMatch(/./));
