import { expect, it } from "vitest";

import { FarmError } from "../../../base/index.ts";
import { createGate } from "./gate.ts";

/** Work that ends when told to. */
function stuck(): { readonly work: () => Promise<string>; readonly end: () => void } {
  let end = (): void => undefined;
  const ended = new Promise<string>((resolve) => {
    end = () => resolve("done");
  });
  return { work: () => ended, end: () => end() };
}

it("lets three pieces of work through at once and the rest in order", async () => {
  const gate = createGate(1000);
  const started: number[] = [];
  const works = Array.from({ length: 5 }, stuck);
  const running = works.map(({ work }, at) =>
    gate.run(`work ${at}`, () => {
      started.push(at);
      return work();
    }),
  );
  await new Promise(setImmediate);
  expect(started).toEqual([0, 1, 2]);
  works[1]?.end();
  await running[1];
  await new Promise(setImmediate);
  expect(started).toEqual([0, 1, 2, 3]);
  for (const { end } of works) end();
  expect(await Promise.all(running)).toEqual(Array.from({ length: 5 }, () => "done"));
  expect(started).toEqual([0, 1, 2, 3, 4]);
});

it("refuses everything while one piece of work is overdue, and works again afterwards", async () => {
  const gate = createGate(20);
  const late = stuck();
  await expect(gate.run("reading a", late.work)).rejects.toMatchObject({
    code: "STORE_UNAVAILABLE",
    message: expect.stringContaining("reading a"),
  });
  await expect(gate.run("reading b", async () => "b")).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
  late.end();
  await new Promise(setImmediate);
  expect(await gate.run("reading b", async () => "b")).toBe("b");
});

it("refuses what has waited too long in line", async () => {
  const gate = createGate(20);
  const works = Array.from({ length: 4 }, stuck);
  const results = await Promise.allSettled(works.map(({ work }) => gate.run("reading", work)));
  expect(results.map(({ status }) => status)).toEqual(Array.from({ length: 4 }, () => "rejected"));
});

it("says of late work what its caller knows better", async () => {
  const gate = createGate(20);
  const unknown = new FarmError("STORE_UNKNOWN", "sent");
  await expect(gate.run("writing", stuck().work, { late: () => unknown })).rejects.toBe(unknown);
});

it("gives large work the time it asks for", async () => {
  const gate = createGate(20);
  const slow = (): Promise<string> => new Promise((resolve) => setTimeout(() => resolve("listed"), 60));
  expect(await gate.run("listing", slow, { deadlineMs: 5000 })).toBe("listed");
});

it("passes on what work throws, and frees its place", async () => {
  const gate = createGate(1000);
  const failing = Array.from({ length: 10 }, () => gate.run("reading", () => Promise.reject(new Error("disk"))));
  for (const result of await Promise.allSettled(failing)) expect(result).toMatchObject({ status: "rejected", reason: { message: "disk" } });
  expect(await gate.run("reading", async () => "fine")).toBe("fine");
});
