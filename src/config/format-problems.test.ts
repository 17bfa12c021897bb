import { expect, it } from "vitest";

import { formatProblems } from "./format-problems.ts";
import type { ConfigProblem } from "./types.ts";

const at = (line: number, column: number, more: Partial<ConfigProblem> = {}): ConfigProblem => ({
  line,
  column,
  path: "",
  message: "it is wrong",
  severity: "error",
  ...more,
});

it.each<[string, ConfigProblem, string, string]>([
  [
    "with the line and a caret",
    at(2, 3, { severity: "warning" }),
    "a: 1\n  b: 2\n",
    "f.yaml:2:3 warning it is wrong\n  2 |   b: 2\n    |   ^",
  ],
  ["with what was meant", at(1, 1, { suggestion: "sni" }), "x", 'f.yaml:1:1 error it is wrong (did you mean "sni"?)\n  1 | x\n    | ^'],
  ["alone when the line is empty", at(2, 1), "a\n\n", "f.yaml:2:1 error it is wrong"],
  ["alone when there is no such line", at(9, 1), "a", "f.yaml:9:1 error it is wrong"],
  ["with Windows line ends", at(2, 1), "a\r\nb\r\n", "f.yaml:2:1 error it is wrong\n  2 | b\n    | ^"],
  [
    "with tabs and control characters made harmless",
    at(1, 3),
    "\ta\u001B[31m\u202Eb",
    "f.yaml:1:3 error it is wrong\n  1 |  a?[31m?b\n    |   ^",
  ],
  [
    "with a long line cut around the place",
    at(1, 101),
    `${"x".repeat(100)}y${"z".repeat(300)}`,
    `f.yaml:1:101 error it is wrong\n  1 | ${"x".repeat(60)}y${"z".repeat(59)}\n    | ${" ".repeat(60)}^`,
  ],
])("prints a problem %s", (_, problem, yaml, expected) => {
  expect(formatProblems("f.yaml", [problem], yaml)).toBe(expected);
});

it("prints problems below each other", () => {
  expect(formatProblems("f.yaml", [at(1, 1), at(2, 1)], "").split("\n")).toEqual([
    "f.yaml:1:1 error it is wrong",
    "f.yaml:2:1 error it is wrong",
  ]);
  expect(formatProblems("f.yaml", [], "a")).toBe("");
});
