import { expect, test } from "vitest";

import { instant, type Clock } from "../base/index.ts";
import { createColdGate } from "./cold-gate.ts";

/** A clock that moves only when work is done. */
function workClock(): Clock & { work(ms: number): void } {
  let nowMs = 0;
  return {
    now: () => instant(nowMs),
    monotonicMs: () => nowMs,
    work(ms) {
      nowMs += ms;
    },
  };
}

test("work runs in the order it came, one piece a turn of the loop", async () => {
  const gate = createColdGate(workClock(), { share: 0.2, maxWaiting: 10 });
  const order: number[] = [];
  await Promise.all([1, 2, 3].map((piece) => gate.run(() => order.push(piece))));
  expect(order).toEqual([1, 2, 3]);
});

test("without warm connections nothing waits longer than a turn of the loop", async () => {
  const clock = workClock();
  const gate = createColdGate(clock, { share: 0.01, maxWaiting: 1_000 });
  const started = performance.now();
  await Promise.all(Array.from({ length: 300 }, () => gate.run(() => clock.work(10))));
  expect(performance.now() - started).toBeLessThan(2_000); // at a share of 0.01 it would be 300 seconds
});

test("beside warm connections it leaves the loop its share", async () => {
  const clock = workClock();
  const gate = createColdGate(clock, { share: 0.2, maxWaiting: 10 });
  const started = performance.now();
  const piece = (): void => {
    clock.work(5);
    gate.noteWarm();
  };
  await Promise.all([gate.run(piece), gate.run(piece), gate.run(piece)]);
  expect(performance.now() - started).toBeGreaterThanOrEqual(2 * 20 - 1); // 5 ms of work, then 20 ms for the others
});

test("a full queue refuses, and what waits still runs", async () => {
  const gate = createColdGate(workClock(), { share: 0.2, maxWaiting: 1 });
  const waiting = gate.run(() => "done");
  await expect(gate.run(() => "too much")).rejects.toMatchObject({ code: "NODE_OVERLOADED" });
  await expect(waiting).resolves.toBe("done");
});

test("a piece that throws rejects its own promise only", async () => {
  const gate = createColdGate(workClock(), { share: 0.2, maxWaiting: 10 });
  const failing = gate.run(() => {
    throw new Error("bad key");
  });
  const next = gate.run(() => 7);
  await expect(failing).rejects.toThrow("bad key");
  await expect(next).resolves.toBe(7);
});
