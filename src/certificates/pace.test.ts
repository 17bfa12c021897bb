import { expect, it } from "vitest";

import { instant, type Clock } from "../base/index.ts";
import { Pace } from "./pace.ts";

it("rests for as many times as long as the work took, also when it failed, and remembers who asked meanwhile", async () => {
  let now = 0;
  const clock: Clock = { now: () => instant(now), monotonicMs: () => now };
  const pace = new Pace(clock, 4);
  expect(pace.waitMs).toBeUndefined();
  pace.wanted = true;
  expect(pace.waitMs).toBe(0);
  const work = async (): Promise<void> => {
    now += 10;
    pace.wanted = true;
    await Promise.reject(new Error("broken"));
  };
  await expect(pace.run(work)).rejects.toThrow("broken");
  expect(pace.costMs).toBe(10);
  expect(pace.waitMs).toBe(40);
  now += 39;
  expect(pace.waitMs).toBe(1);
  expect(pace.sinceMs).toBe(49);
  now += 1;
  expect(pace.waitMs).toBe(0);
});
