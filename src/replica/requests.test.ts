import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { FarmError, silentLog, systemClock, type Clock } from "../base/index.ts";
import { createMemoryBacking, createMemoryStore, type FarmStore } from "../store/index.ts";
import { createReports } from "./reports.ts";
import { encodeRequest } from "./request-record.ts";
import type { RequestHandler } from "./request-server.ts";
import { createRequests } from "./requests.ts";
import { eventually } from "./testing/await-state.ts";
import { reportOf } from "./testing/report.ts";

const parts = { clock: systemClock, log: silentLog };
let backing = createMemoryBacking();
let broken: boolean;
/** Looks of the node at its requests. */
let looks: number;
let store: FarmStore;
let stop: AbortController;
let serving: Promise<void>[];

beforeEach(() => {
  backing = createMemoryBacking();
  broken = false;
  looks = 0;
  store = createMemoryStore({
    backing,
    faults({ verb, target }) {
      if (verb === "list" && target === "requests/web1") looks += 1;
      return broken ? "unavailable" : undefined;
    },
  });
  stop = new AbortController();
  serving = [];
});
afterEach(async () => {
  stop.abort();
  await Promise.all(serving);
});

const serve = (handler: RequestHandler, clock: Clock = systemClock): void => {
  serving.push(createRequests(store, { ...parts, clock }).serve("web1", handler, stop.signal));
};
const send = (verb: string, input: unknown, timeoutMs = 5_000) =>
  createRequests(createMemoryStore({ backing }), parts).send("web1", verb, input, { timeoutMs, signal: stop.signal });
const keysLeft = async () => [...(await store.state.list("requests")), ...(await store.state.list("answers"))].map(({ key }) => key);
const nothingLeft = () => eventually(async () => ((await keysLeft()).length === 0 ? true : undefined));

describe("a request", () => {
  it("gets its node's answer, and leaves nothing in the store", async () => {
    serve(async (verb, input) => ({ verb, input, extra: [1, "ü"] }));
    expect(await send("explain", { port: 443 })).toEqual({ verb: "explain", input: { port: 443 }, extra: [1, "ü"] });
    await nothingLeft();
  });

  it("may come before the node serves", async () => {
    const answer = send("explain", {});
    await eventually(async () => (await keysLeft())[0]);
    serve(async () => "late");
    expect(await answer).toBe("late");
    await nothingLeft();
  });

  it("carries the node's error to the sender with its code and facts", async () => {
    serve(async () => {
      throw new FarmError("BINDING_ROW_EXISTS", "there is one", { facts: { key: "0.0.0.0:443" } });
    });
    const error = await send("table.add", {}).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(FarmError);
    expect(error).toMatchObject({ code: "BINDING_ROW_EXISTS", message: "there is one", facts: { key: "0.0.0.0:443" } });
  });

  it("gets an error instead of an answer that the store does not take", async () => {
    serve(async () => "x".repeat(600 * 1024));
    await expect(send("certificates", {})).rejects.toMatchObject({ code: "STORE_VALUE_TOO_LARGE" });
  });

  it.each([
    ["never reported", undefined, "never reported"],
    ["reported before", reportOf("web1", { at: systemClock.now() }), "last reported 0 s ago"],
  ])("to a node that %s and does not answer ends with an error that says so", async (_name, report, text) => {
    if (report !== undefined) await createReports(store, parts).publish(report);
    const error = await send("explain", {}, 50).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      code: "NODE_NO_ANSWER",
      message: expect.stringContaining(text),
      facts: { node: "web1", verb: "explain" },
    });
    expect(await keysLeft()).toEqual([]);
  });

  it("is cancelled by its sender's signal", async () => {
    const own = new AbortController();
    const asked = createRequests(store, parts).send("web1", "explain", {}, { timeoutMs: 5_000, signal: own.signal });
    await eventually(async () => (await keysLeft())[0]);
    own.abort();
    await expect(asked).rejects.toMatchObject({ code: "CANCELLED" });
    expect(await keysLeft()).toEqual([]);
  });

  it("is carried out once although two processes serve the node", async () => {
    const done: number[] = [];
    for (let process = 0; process < 2; process += 1) serve(async (_verb, input) => done.push(Number(input)));
    await Promise.all(Array.from({ length: 20 }, (_, index) => send("prove", index)));
    expect(done.sort((one, other) => one - other)).toEqual(Array.from({ length: 20 }, (_, index) => index));
  });

  it("waits while eight others are at work", async () => {
    let [now, most] = [0, 0];
    let open = (): void => {};
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    serve(async () => {
      now += 1;
      most = Math.max(most, now);
      if (now === 8) open();
      await gate;
      now -= 1;
    });
    await Promise.all(Array.from({ length: 20 }, () => send("prove", {})));
    expect(most).toBe(8);
  });

  it("is answered after the store was away", async () => {
    serve(async () => "here");
    broken = true;
    const answer = send("explain", {});
    await eventually(async () => (await createMemoryStore({ backing }).state.list("requests"))[0]);
    broken = false;
    expect(await answer).toBe("here");
  });
});

describe("a stale request", () => {
  const leave = (id: string, confirmed = false) =>
    store.state.write(`requests/web1/${id}`, encodeRequest({ verb: "table.delete", input: {}, timeoutMs: 60_000, confirmed }), undefined);

  it("whose sender died before the node started is asked for, not carried out, and removed, whatever the clocks say", async () => {
    let nowMs = 0;
    const clock: Clock = { now: () => systemClock.now(), monotonicMs: () => nowMs };
    const carried: string[] = [];
    await leave("old");
    serve(async (verb) => carried.push(verb), clock);
    await eventually(() => store.state.read("answers/web1/old"));
    nowMs = 5_000;
    await leave("ring"); // a look is due
    await eventually(async () => ((await store.state.read("requests/web1/old")) === undefined ? true : undefined));
    await eventually(() => carried[0]);
    expect(carried).toHaveLength(1);
  });

  it("that was not taken within its own time is dropped", async () => {
    let nowMs = 0;
    const clock: Clock = { now: () => systemClock.now(), monotonicMs: () => nowMs };
    let release = (): void => {};
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    const carried: unknown[] = [];
    serve(async (_verb, input) => {
      carried.push(input);
      await gate;
    }, clock);
    const busy = Array.from({ length: 8 }, (_, index) => send("prove", index, 1_500).catch((error: unknown) => error));
    await eventually(() => (carried.length === 8 ? true : undefined));
    await leave("left");
    const before = looks;
    await eventually(() => (looks >= before + 2 ? true : undefined));
    nowMs = 70_000;
    release();
    await eventually(async () => ((await store.state.read("requests/web1/left")) === undefined ? true : undefined));
    await Promise.all(busy);
    expect(carried).toHaveLength(8);
  });

  it("that is damaged is left alone and hinders no other", async () => {
    await store.state.write("requests/web1/bad", new TextEncoder().encode("{"), undefined);
    serve(async () => "fine");
    expect(await send("explain", {})).toBe("fine");
  });
});
