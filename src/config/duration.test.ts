import * as fc from "fast-check";
import { describe, expect, it, test } from "vitest";

import { formatDuration, formatSize, parseDuration, parseSize } from "./duration.ts";

describe("parseDuration", () => {
  it.each([
    ["250ms", 250],
    ["0s", 0],
    ["30s", 30_000],
    ["5m", 300_000],
    ["12h", 43_200_000],
    ["7d", 604_800_000],
    ["2w", 1_209_600_000],
    ["1y", 31_536_000_000],
  ])("reads %s", (text, ms) => expect(parseDuration(text)).toBe(ms));

  it.each([
    "",
    "30",
    "s",
    "-1s",
    "+1s",
    "1.5h",
    "030s",
    " 30s",
    "30s ",
    "30 s",
    "30S",
    "1h30m",
    "1e3s",
    "9999999999999s",
    "999999999999y",
    "1constructor",
    "٣s",
  ])("refuses %j", (text) => expect(parseDuration(text)).toBeUndefined());
});

describe("parseSize", () => {
  it.each([
    ["0B", 0],
    ["512B", 512],
    ["10kB", 10_000],
    ["10KB", 10_000],
    ["10MB", 10_000_000],
    ["2GB", 2_000_000_000],
    ["64KiB", 65_536],
    ["100MiB", 104_857_600],
    ["1GiB", 1_073_741_824],
  ])("reads %s", (text, bytes) => expect(parseSize(text)).toBe(bytes));

  it.each(["", "10", "10M", "10mb", "10 MB", "1.5MB", "-1B", "0x10B", "999999999999GiB"])("refuses %j", (text) =>
    expect(parseSize(text)).toBeUndefined(),
  );
});

test("what is printed is read back as the same value", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 2 ** 39 }),
      (value) => parseDuration(formatDuration(value)) === value && parseSize(formatSize(value)) === value,
    ),
  );
});
