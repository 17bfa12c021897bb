import { expect, test } from "vitest";

import { instant } from "../../base/index.ts";
import { dayText, spanText } from "./certificate-text.ts";

test.each([
  [0, "0 seconds"],
  [1_000, "1 second"],
  [59_999, "59 seconds"],
  [60_000, "1 minute"],
  [7_200_000, "2 hours"],
  [-3 * 86_400_000, "3 days"],
])("%d ms are %s", (ms, expected) => {
  expect(spanText(ms)).toBe(expected);
});

test("dates of peers may be impossible", () => {
  expect(dayText(instant(Date.UTC(2026, 5, 15)))).toBe("2026-06-15");
  expect([Number.NaN, Number.POSITIVE_INFINITY, 1e18].map((at) => dayText(instant(at)))).toEqual(Array(3).fill("an impossible date"));
});
