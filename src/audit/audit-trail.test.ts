import { describe, expect, it, test } from "vitest";

import { createLog, FarmError, instant } from "../base/index.ts";
import { fill, sampleLog } from "./testing/sample-trail.ts";

const DRAIN = { action: "drain", target: "web2", caller: { name: "ops", role: "operator", by: "token" } };

describe("a change", () => {
  it("has an entry before it is begun and one when it has ended, by whoever asked for it", async () => {
    const { trail } = sampleLog();
    const log = trail({ clock: { now: () => instant(5_000), monotonicMs: () => 0 } });
    const seen: number[] = [];
    await log.change(DRAIN, async () => {
      seen.push((await log.list({ limit: 10 })).entries.length);
    });
    expect(seen).toEqual([1]);
    const { entries } = await log.list({ limit: 10 });
    expect(entries).toMatchObject([
      { seq: 1, at: 5_000, action: "drain", target: "web2", phase: "begun", caller: DRAIN.caller },
      { seq: 2, phase: "ended", of: 1, outcome: "done", caller: DRAIN.caller },
    ]);
  });

  it.each([
    ["is refused by the farm", new FarmError("NODE_UNKNOWN", "there is no web2"), "refused", "NODE_UNKNOWN"],
    ["fails half way", new FarmError("STORE_UNAVAILABLE", "away"), "failed", "STORE_UNAVAILABLE"],
    ["meets a fault", new Error("a password in a message"), "failed", "INTERNAL"],
  ])("that %s is told so", async (_name, error, outcome, detail) => {
    const log = sampleLog().trail();
    await expect(log.change(DRAIN, () => Promise.reject(error))).rejects.toBe(error);
    const { entries } = await log.list({ limit: 10 });
    expect(entries.at(-1)).toMatchObject({ phase: "ended", outcome, detail });
    expect(JSON.stringify(entries)).not.toContain("password");
  });

  it("tells of its parts that they are its parts, by the same caller", async () => {
    const log = sampleLog().trail();
    await log.change({ ...DRAIN, action: "repair.run" }, async () => {
      await log.change({ action: "repair.step", target: "web2: add the row" }, async () => {});
      await log.note({ action: "drill", target: "web3" }, { outcome: "done" });
    });
    const { entries } = await log.list({ limit: 10 });
    expect(entries.map(({ seq, phase, of, caller }) => [seq, phase, of, caller.name])).toEqual([
      [1, "begun", undefined, "ops"],
      [2, "begun", 1, "ops"],
      [3, "ended", 2, "ops"],
      [4, "noted", 1, "ops"],
      [5, "ended", 1, "ops"],
    ]);
  });

  it("is not begun when the store is away", async () => {
    const { trail } = sampleLog();
    let done = false;
    const log = trail({ faults: ({ verb }) => (verb === "write" ? "unavailable" : undefined) });
    const change = log.change(DRAIN, async () => void (done = true));
    await expect(change).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
    expect(done).toBe(false);
  });

  it("whose end the store did not take is answered all the same, and told by the next change", async () => {
    const { trail } = sampleLog();
    const away = { is: false };
    const lines: string[] = [];
    const log = trail({
      faults: ({ verb }) => (verb === "write" && away.is ? "unavailable" : undefined),
      log: createLog({ write: (line) => void lines.push(line), now: () => 0 }),
    });
    expect(await log.change(DRAIN, async () => ((away.is = true), 7))).toBe(7);
    expect(lines.join()).toContain("could not be written into the audit log");
    expect((await log.verify()).open.map(({ seq }) => seq)).toEqual([1]);
    away.is = false;
    await log.change({ ...DRAIN, action: "undrain" }, async () => {});
    const { entries } = await log.list({ limit: 10 });
    expect(entries.map(({ action, phase, of }) => [action, phase, of])).toEqual([
      ["drain", "begun", undefined],
      ["drain", "ended", 1],
      ["undrain", "begun", undefined],
      ["undrain", "ended", 3],
    ]);
    expect(await log.verify()).toMatchObject({ isWhole: true, open: [] });
  });

  it("is written once when the store's answers are lost, applied or not", async () => {
    const { trail } = sampleLog();
    let turn = 0;
    const faults = [undefined, "unknown-applied", "unknown-lost"] as const;
    const log = trail({ faults: ({ verb }) => (verb === "write" ? faults[(turn += 1) % 3] : undefined) });
    await fill(log, 30);
    const { entries } = await log.list({ limit: 100 });
    expect(entries.map(({ target }) => target)).toEqual(Array.from({ length: 30 }, (_each, at) => `web${at + 1}`));
    expect(await log.verify()).toMatchObject({ isWhole: true, entries: 30 });
  });

  it("says nothing longer than a line or in control characters", async () => {
    const log = sampleLog().trail();
    await log.note(
      { action: "x".repeat(5_000), target: `a\nb\u0000\ud800${"ü".repeat(5_000)}` },
      { outcome: "failed", detail: "y".repeat(5_000) },
    );
    const [entry] = (await log.list({ limit: 1 })).entries;
    expect(JSON.stringify(entry).length).toBeLessThan(2_000);
    expect(entry?.target).toMatch(/^a\?b\?\ufffdü/);
    expect((await log.verify()).isWhole).toBe(true);
  });
});

test("several processes that write at once make one chain in which nothing is lost", async () => {
  const { trail } = sampleLog();
  const writers = Array.from({ length: 5 }, (_each, at) => ({ name: `p${at}-`, log: trail() }));
  await Promise.all(writers.map(({ name, log }) => fill(log, 40, name)));
  const { entries } = await trail().list({ limit: 1_000 });
  const expected = writers.flatMap(({ name }) => Array.from({ length: 40 }, (_each, at) => `${name}${at + 1}`));
  expect(entries.map(({ target }) => target).sort()).toEqual(expected.sort());
  expect(await trail().verify()).toMatchObject({ isWhole: true, entries: 200, end: { seq: 200 } });
});

test("a process that ends between taking its place and moving the head leaves a whole chain", async () => {
  const { trail } = sampleLog();
  await fill(trail(), 3);
  const dying = trail({ faults: ({ verb, target }) => (verb === "write" && target === "audit/head" ? "unavailable" : undefined) });
  await expect(dying.note(DRAIN, { outcome: "done" })).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
  const other = trail();
  await other.note({ ...DRAIN, target: "web9" }, { outcome: "done" });
  expect((await other.list({ limit: 10 })).entries.map(({ target }) => target)).toEqual(["web1", "web2", "web3", "web2", "web9"]);
  expect(await other.verify()).toMatchObject({ isWhole: true, entries: 5 });
});

describe("the log's size in the store", () => {
  const bounds = { live: 64, segments: 2 };

  it("is bounded: old entries are packed, older ones kept outside and let go, and the chain stays whole", async () => {
    const { trail, store } = sampleLog();
    const kept = new Map<string, string>();
    const log = trail({ bounds, keep: (name, text) => Promise.resolve(void kept.set(name, text)) });
    await fill(log, 640);
    await expect.poll(async () => (await store.state.list("audit/segments")).length).toBeLessThanOrEqual(3);
    expect((await store.state.list("audit/entries")).length).toBeLessThan(512);
    const verdict = await log.verify();
    expect(verdict).toMatchObject({ isWhole: true });
    expect(verdict.from).toBeGreaterThan(64);
    expect([...kept.keys()].sort()[0]).toBe("audit-000000000001-000000000064.jsonl");
    const newest = await log.list({ limit: 100 });
    expect(newest.entries.length).toBe(100);
    expect(newest.entries.map(({ seq }) => seq)).toEqual(Array.from({ length: 100 }, (_each, at) => newest.head.seq - 99 + at));
    expect((await log.list({ after: 0, limit: 5 })).entries[0]?.seq).toBe(verdict.from);
  });

  it("grows with patience where nothing can be kept outside, and then changes are refused", async () => {
    const log = sampleLog().trail({ bounds: { live: 1, segments: 1 }, keep: () => Promise.reject(new Error("the disk is full")) });
    const outcome = await fill(log, 64 * 12).catch((error: unknown) => error);
    expect(outcome).toMatchObject({ code: "AUDIT_FULL" });
    expect((await log.verify()).isWhole).toBe(true);
  });

  it("is read whole while another process packs", async () => {
    const { trail } = sampleLog();
    const writer = trail({ bounds: { live: 1, segments: 100 } });
    const reader = trail();
    const written = new AbortController();
    const writing = fill(writer, 400).finally(() => written.abort());
    while (!written.signal.aborted) {
      const { entries } = await reader.list({ limit: 1_000 });
      expect(entries.map(({ seq }) => seq)).toEqual(entries.map((_each, at) => at + 1));
      expect((await reader.verify()).broken).toBeUndefined();
    }
    await writing;
  });

  it("a process that stood still while its place was packed takes it back and goes to the end", async () => {
    const { trail, store } = sampleLog();
    const slow = trail();
    await fill(slow, 1);
    await fill(trail({ bounds: { live: 1, segments: 100 } }), 300, "other");
    await expect.poll(async () => (await store.state.list("audit/segments")).length).toBeGreaterThan(2);
    await slow.note({ ...DRAIN, target: "late" }, { outcome: "done" });
    const { entries } = await trail().list({ limit: 1 });
    expect(entries[0]).toMatchObject({ seq: 302, target: "late" });
    expect(await trail().verify()).toMatchObject({ isWhole: true, entries: 302 });
  });
});
