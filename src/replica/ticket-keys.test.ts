import { randomBytes } from "node:crypto";
import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { createLog, instant, silentLog, type Clock } from "../base/index.ts";
import { createMemoryBacking, createMemoryStore } from "../store/index.ts";
import { firstWhere } from "./testing/await-state.ts";
import { scratchDirectory } from "./testing/scratch.ts";
import { createTicketKeys, type TicketKeysSettings } from "./ticket-keys.ts";

const HOUR = 3_600_000;
let nowMs = 0;
const clock: Clock = { now: () => instant(nowMs), monotonicMs: () => nowMs };
const lease = { lost: new AbortController().signal };
let backing = createMemoryBacking();
let scratch: Awaited<ReturnType<typeof scratchDirectory>>;
let stop: AbortController;

beforeEach(async () => {
  nowMs = 100 * HOUR;
  backing = createMemoryBacking();
  stop = new AbortController();
  scratch = await scratchDirectory();
});
afterEach(async () => {
  stop.abort();
  await scratch.remove();
});

const ownKey = randomBytes(32);
const kept = () => ({ kept: { dataDir: scratch.path, ownKey } });
const open = (settings: Partial<TicketKeysSettings> = {}) =>
  createTicketKeys({ store: createMemoryStore({ backing }), clock, log: silentLog, ...settings });

describe("rotateIfDue", () => {
  it("makes the first set, and turns it every twelve hours: next, current, previous", async () => {
    const keys = open();
    expect(keys.current()).toBeUndefined();
    expect(await keys.rotateIfDue(lease)).toBe(true);
    const first = keys.current();
    expect(first?.previous).toBeUndefined();
    expect(first?.current.secret).toHaveLength(32);
    expect(first?.current.secret).not.toEqual(first?.next.secret);
    nowMs += 12 * HOUR - 1;
    expect(await keys.rotateIfDue(lease)).toBe(false);
    nowMs += 1;
    expect(await keys.rotateIfDue(lease)).toBe(true);
    const second = keys.current();
    expect([second?.previous, second?.current]).toEqual([first?.current, first?.next]);
    expect([first?.current.id, first?.next.id]).not.toContain(second?.next.id);
  });

  it("lets one of two holders turn a due set", async () => {
    await open().rotateIfDue(lease);
    nowMs += 13 * HOUR;
    const outcomes = await Promise.allSettled([open().rotateIfDue(lease), open().rotateIfDue(lease)]);
    expect(outcomes.filter((outcome) => outcome.status === "fulfilled" && outcome.value)).toHaveLength(1);
  });

  it("does not wait for a rotation that a wrong clock noted in the far future", async () => {
    nowMs += 1_000_000 * HOUR;
    await open().rotateIfDue(lease);
    nowMs -= 1_000_000 * HOUR;
    expect(await open().rotateIfDue(lease)).toBe(true);
    expect(await open().rotateIfDue(lease)).toBe(false);
  });

  it("makes a new set in place of a damaged one", async () => {
    await createMemoryStore({ backing }).state.write("tickets/keys", new TextEncoder().encode("{}"), undefined);
    const keys = open();
    expect(await keys.rotateIfDue(lease)).toBe(true);
    expect(await firstWhere(open().watch(stop.signal), () => true)).toEqual(keys.current());
  });

  it("writes nothing once the lease is lost", async () => {
    await expect(open().rotateIfDue({ lost: AbortSignal.abort(new Error("lost")) })).rejects.toThrow("lost");
    expect(await createMemoryStore({ backing }).state.read("tickets/keys")).toBeUndefined();
  });
});

describe("watch", () => {
  it("gives every node the same set, and the next one after a rotation", async () => {
    const [one, other] = [open(), open()];
    await one.rotateIfDue(lease);
    const seen = other.watch(stop.signal);
    expect(await firstWhere(seen, () => true)).toEqual(one.current());
    expect(other.current()).toEqual(one.current());
    nowMs += 12 * HOUR;
    const next = firstWhere(other.watch(stop.signal), (keys) => keys.previous !== undefined);
    await one.rotateIfDue(lease);
    expect(await next).toEqual(one.current());
  });

  it("starts from the copy on the node's disk when the store is away; only the owner can read that", async () => {
    const maker = open();
    await maker.rotateIfDue(lease);
    await firstWhere(open(kept()).watch(stop.signal), () => true);
    expect((await stat(join(scratch.path, "ticket-keys.json"))).mode & 0o777).toBe(0o600);
    const away = createMemoryStore({ backing, faults: () => "unavailable" });
    const keys = open({ store: away, ...kept() });
    expect(keys.current()).toEqual(maker.current());
    expect(await firstWhere(keys.watch(stop.signal), () => true)).toEqual(maker.current());
  });

  it.each<[string, (copy: Buffer) => Uint8Array]>([
    ["in the clear", () => Buffer.from(`{"rotatedAt":1,"current":{"id":"x","secret":"AAAA","createdAt":1}}`)],
    ["with one octet changed", (copy) => copy.map((octet, at) => (at === copy.length - 9 ? octet ^ 1 : octet))],
    ["with another header", (copy) => Buffer.concat([Buffer.from("{}"), copy.subarray(copy.indexOf(10))])],
    ["that is cut short", (copy) => copy.subarray(0, 200)],
    ["of nothing", () => Buffer.alloc(0)],
  ])("starts without keys from a copy %s, tells the log and removes it", async (_what, change) => {
    const path = join(scratch.path, "ticket-keys.json");
    await open(kept()).rotateIfDue(lease);
    await writeFile(path, change(await readFile(path)));
    const lines: string[] = [];
    expect(open({ ...kept(), log: createLog({ write: (line) => lines.push(line), now: () => 0 }) }).current()).toBeUndefined();
    expect(lines.join()).toContain("ticket-keys.json");
    await expect(stat(path)).rejects.toThrow("ENOENT");
  });

  it("tells neither the log nor its disk a secret", async () => {
    const lines: string[] = [];
    const keys = open({ ...kept(), log: createLog({ write: (line) => lines.push(line), now: () => 0, level: "debug" }) });
    await keys.rotateIfDue(lease);
    const bytes = Buffer.from(keys.current()?.current.secret ?? []);
    const secret = bytes.toString("base64");
    const copy = await readFile(join(scratch.path, "ticket-keys.json"));
    expect([copy.includes(bytes), copy.includes(secret)]).toEqual([false, false]);
    expect(open(kept()).current()).toEqual(keys.current());
    expect(lines.join()).toContain("rotated");
    expect(lines.join()).not.toContain(secret);
  });
});
