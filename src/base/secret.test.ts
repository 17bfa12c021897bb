import { format, inspect } from "node:util";

import { expect, it, test } from "vitest";

import { FarmError } from "./errors.ts";
import { createLog } from "./log.ts";
import { Secret } from "./secret.ts";

const VALUE = "correct horse battery staple";
const secret = new Secret(VALUE);

it("gives its value to those who ask for it", () => {
  expect(secret.reveal()).toBe(VALUE);
});

test.each<[string, () => string]>([
  ["String", () => String(secret)],
  ["a text it is joined to", () => ["password", secret].join("=")],
  ["JSON", () => JSON.stringify({ password: secret })],
  ["inspect", () => inspect(secret)],
  ["inspect inside an object", () => inspect({ deep: { secret } })],
  ["inspect with everything hidden shown", () => inspect(secret, { showHidden: true, customInspect: false, depth: 9 })],
  ["format", () => format("%s %o %O %j", secret, secret, secret, { secret })],
  ["its own properties", () => JSON.stringify([Object.entries(secret), Object.getOwnPropertySymbols(secret).map(String)])],
  ["a structured clone", () => inspect(structuredClone(secret))],
  ["an error that has it as its cause", () => inspect(new FarmError("INTERNAL", "x", { cause: secret }))],
])("does not show it to %s", (_, print) => {
  const text = print();
  expect(text.length).toBeGreaterThan(0);
  expect(text).not.toContain("horse");
});

it("says that something is there", () => {
  expect([String(secret), JSON.stringify({ secret }), inspect({ secret })]).toEqual([
    "[secret]",
    '{"secret":"[secret]"}',
    "{ secret: [secret] }",
  ]);
});

it("does not reach a log, not even by a cast", () => {
  const lines: string[] = [];
  const log = createLog({ write: (line) => lines.push(line), now: () => 0 });
  log.error("x", { password: secret as unknown as string }); // what a careless caller might do
  expect(lines.join("")).toContain('"password":"[secret]"');
});
