import { setImmediate as turn } from "node:timers/promises";

import * as fc from "fast-check";
import { expect, test } from "vitest";

import { runLanes, type Task } from "./lanes.ts";

/** Lanes of tasks that note how many of them run at once. */
function watchedLanes(lengths: readonly number[]) {
  const running = lengths.map(() => 0);
  const peak = lengths.map(() => 0);
  let most = 0;
  const order: string[] = [];
  const lanes = lengths.map((length, lane) =>
    Array.from({ length }, (_, task): Task => async () => {
      order.push(`${lane}.${task}`);
      running[lane] = (running[lane] ?? 0) + 1;
      peak[lane] = Math.max(peak[lane] ?? 0, running[lane] ?? 0);
      most = Math.max(
        most,
        running.reduce((sum, one) => sum + one, 0),
      );
      for (let turns = 0; turns <= (task * 7 + lane) % 3; turns += 1) await turn();
      running[lane] = (running[lane] ?? 0) - 1;
    }),
  );
  return { lanes, order, peak, most: () => most };
}

test("every task is done once, in the order of its lane, and no limit is passed", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.nat(12), { maxLength: 6 }),
      fc.integer({ min: 1, max: 5 }),
      fc.integer({ min: 1, max: 9 }),
      async (lengths, perLane, inAll) => {
        const watched = watchedLanes(lengths);
        await runLanes(watched.lanes, { perLane, inAll });
        const wanted = lengths.map((length, lane) => Array.from({ length }, (_, task) => `${lane}.${task}`));
        expect(lengths.map((_, lane) => watched.order.filter((name) => name.startsWith(`${lane}.`)))).toEqual(wanted);
        expect(Math.max(0, ...watched.peak)).toBeLessThanOrEqual(perLane);
        expect(watched.most()).toBeLessThanOrEqual(inAll);
      },
    ),
    { numRuns: 60 },
  );
});

test("as much is done at once as the limits allow, in turns", async () => {
  const watched = watchedLanes([10, 10, 10]);
  await runLanes(watched.lanes, { perLane: 4, inAll: 6 });
  expect(watched.most()).toBe(6);
  expect(watched.order.slice(0, 6)).toEqual(["0.0", "1.0", "2.0", "0.1", "1.1", "2.1"]);
});

test("a task that throws ends it when those that run are over", async () => {
  const done: number[] = [];
  const task =
    (number: number): Task =>
    async () => {
      await turn();
      if (number === 1) throw new Error("no");
      await turn();
      done.push(number);
    };
  await expect(runLanes([[0, 1, 2, 3, 4, 5].map(task)], { perLane: 3, inAll: 3 })).rejects.toThrow("no");
  expect(done).toEqual([0, 2]);
});

test("after an abort no task is begun", async () => {
  const stop = new AbortController();
  const done: number[] = [];
  const task =
    (number: number): Task =>
    async () => {
      await turn();
      done.push(number);
      if (number === 3) stop.abort();
    };
  await runLanes([[0, 1, 2, 3, 4, 5, 6].map(task)], { perLane: 2, inAll: 2, signal: stop.signal });
  expect(done).toEqual([0, 1, 2, 3, 4]);
});
