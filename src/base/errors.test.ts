import { describe, expect, it, test } from "vitest";

import type { ErrorRow } from "./error-row.ts";
import { ERRORS, FarmError, systemCode, toFarmError } from "./errors.ts";

describe("the table of errors", () => {
  const rows: readonly [string, ErrorRow][] = Object.entries(ERRORS);

  test.each(rows)("%s says what happened and what to do", (code, row) => {
    expect(code).toMatch(/^[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*$/);
    expect(row.title).toMatch(/^\S.*[^.\s]$/);
    expect(row.remedy).toMatch(/^[A-Z`].*[.`]$/);
    expect(row.status).toBeGreaterThanOrEqual(400);
    expect(row.status).toBeLessThan(600);
    expect([1, 2, 3, 4]).toContain(row.exit);
  });

  it("has no two rows of one title", () => {
    expect(rows.length).toBeGreaterThan(5);
    expect(new Set(rows.map(([, row]) => row.title)).size).toBe(rows.length);
  });
});

describe("FarmError", () => {
  const error = new FarmError("HOST_NAME_INVALID", "x y is not a host name", { facts: { host: "x y" }, cause: new Error("why") });

  it("carries code, message, facts, cause and the remedy of its row", () => {
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({ name: "FarmError", code: "HOST_NAME_INVALID", facts: { host: "x y" }, cause: { message: "why" } });
    expect(error.remedy).toBe(ERRORS.HOST_NAME_INVALID.remedy);
  });

  it("goes over the wire without its cause and stack", () => {
    expect(JSON.parse(JSON.stringify(error))).toEqual({
      code: "HOST_NAME_INVALID",
      message: "x y is not a host name",
      remedy: ERRORS.HOST_NAME_INVALID.remedy,
      facts: { host: "x y" },
    });
  });

  it("has neither facts nor a cause when none were given", () => {
    const bare = new FarmError("INTERNAL", "x");
    expect(bare.facts).toEqual({});
    expect("cause" in bare).toBe(false);
  });
});

describe("thrown values", () => {
  it("are left alone when they are FarmErrors", () => {
    const error = new FarmError("CANCELLED", "x");
    expect(toFarmError(error, "INTERNAL")).toBe(error);
  });

  test.each<[string, unknown, string]>([
    ["an error", new TypeError("no such thing"), "no such thing"],
    ["a text", "text", "text"],
    ["nothing", undefined, "undefined"],
    ["a symbol", Symbol("s"), "Symbol(s)"],
    ["an object without a text", Object.create(null), "something without a text was thrown"],
  ])("are wrapped: %s", (_, thrown, message) => {
    const error = toFarmError(thrown);
    expect([error.code, error.message]).toEqual(["INTERNAL", message]);
    expect(error.cause).toBe(thrown);
  });

  it("are wrapped under the code that the caller names", () => {
    expect(toFarmError(new Error("x"), "STORE_UNAVAILABLE").code).toBe("STORE_UNAVAILABLE");
  });
});

describe("system codes", () => {
  test.each<[string, unknown, string | undefined]>([
    ["a system error", Object.assign(new Error("x"), { code: "ENOENT" }), "ENOENT"],
    ["an error without a code", new Error("x"), undefined],
    ["an error with a number", Object.assign(new Error("x"), { code: 20 }), undefined],
    ["an object that is no error", { code: "ENOENT" }, undefined],
    ["nothing", undefined, undefined],
  ])("of %s", (_, thrown, expected) => {
    expect(systemCode(thrown)).toBe(expected);
  });
});
