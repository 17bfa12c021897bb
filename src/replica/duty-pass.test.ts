import { expect, it } from "vitest";

import { instant } from "../base/index.ts";
import { createPatience } from "./duty-pass.ts";

it("looks at what never settles less and less often, at least every 30 s, and at others at once", () => {
  let nowMs = 0;
  const patience = createPatience({ now: () => instant(0), monotonicMs: () => nowMs }, 1_000);
  const waits: number[] = [];
  for (let look = 0; look < 12; look += 1) {
    patience.tell("logs", false);
    expect(patience.isDue("logs")).toBe(false);
    expect(patience.isDue("www")).toBe(true);
    const outcome = patience.next(["logs"]);
    const waitMs = outcome === "settled" ? 0 : outcome.againInMs;
    waits.push(waitMs);
    nowMs += waitMs;
    expect(patience.isDue("logs")).toBe(true);
  }
  expect(waits.slice(0, 3)).toEqual([1_000, 1_500, 2_250]);
  expect(waits.at(-1)).toBe(30_000);
  patience.tell("logs", true);
  expect(patience.next([])).toBe("settled");
  patience.tell("logs", false);
  expect(patience.next(["logs"])).toEqual({ againInMs: 1_000 });
});
