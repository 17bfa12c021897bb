import { describe, expect, it } from "vitest";

import type { Store } from "../store/index.ts";
import { readEntry, writeEntry } from "./audit-entry.ts";
import { entryKey, HEAD_KEY } from "./chain-head.ts";
import { fill, sampleLog } from "./testing/sample-trail.ts";

async function replace(state: Store, key: string, change: (value: Uint8Array) => Uint8Array): Promise<void> {
  const stored = await state.read(key);
  if (stored === undefined) throw new Error(`${key} is absent`);
  await state.write(key, change(stored.value), stored.rev);
}

async function take(state: Store, key: string): Promise<Uint8Array> {
  const stored = await state.read(key);
  if (stored === undefined) throw new Error(`${key} is absent`);
  await state.remove(key, stored.rev);
  return stored.value;
}

const edited = (value: Uint8Array, from: string, to: string): Uint8Array =>
  Buffer.from(Buffer.from(value).toString("utf8").replace(from, to));

/** As one who knows how digests are made would do it. */
function rewritten(value: Uint8Array, target: string): Uint8Array {
  const read = readEntry(value);
  if ("problem" in read) throw new Error(read.problem);
  return writeEntry({ ...read.entry, target }).bytes;
}

async function cutTo(state: Store, last: number, end: number): Promise<void> {
  for (let seq = last + 1; seq <= end; seq += 1) await take(state, entryKey(seq));
  const read = readEntry((await state.read(entryKey(last)))?.value ?? new Uint8Array());
  if ("problem" in read) throw new Error(read.problem);
  await replace(state, HEAD_KEY, (value) => {
    const head = JSON.parse(Buffer.from(value).toString()) as object;
    return Buffer.from(JSON.stringify({ ...head, seq: last, digest: read.digest }));
  });
}

const TAMPERING: readonly (readonly [string, (state: Store) => Promise<void>, number, string])[] = [
  ["an entry's text was changed", (state) => replace(state, entryKey(7), (value) => edited(value, "web7", "web1")), 7, "changed"],
  [
    "an entry was written anew with a right digest",
    (state) => replace(state, entryKey(7), (value) => rewritten(value, "web1")),
    8,
    "changed",
  ],
  [
    "the last entry was written anew with a right digest",
    (state) => replace(state, entryKey(12), (value) => rewritten(value, "web1")),
    12,
    "changed",
  ],
  ["an entry was removed", async (state) => void (await take(state, entryKey(5))), 5, "missing"],
  ["the first entry was removed", async (state) => void (await take(state, entryKey(1))), 1, "missing"],
  [
    "two entries were exchanged",
    async (state) => {
      const [three, four] = [await take(state, entryKey(3)), await take(state, entryKey(4))];
      await state.write(entryKey(3), four, undefined);
      await state.write(entryKey(4), three, undefined);
    },
    3,
    "reordered",
  ],
  ["an entry is no entry", (state) => replace(state, entryKey(9), () => Buffer.from("{}")), 9, "changed"],
  ["the last entry was removed", async (state) => void (await take(state, entryKey(12))), 12, "missing"],
  ["the last entries were removed, and the head with them, which this process has seen", (state) => cutTo(state, 10, 12), 11, "cut"],
];

describe("verifying names the first broken entry when", () => {
  it.each(TAMPERING)("%s", async (_name, tamper, seq, kind) => {
    const { trail, store } = sampleLog();
    const log = trail();
    await fill(log, 12);
    expect(await log.verify()).toMatchObject({ isWhole: true, entries: 12 });
    await tamper(store.state);
    const { isWhole, broken } = await log.verify();
    expect({ isWhole, seq: broken?.seq, kind: broken?.kind }).toEqual({ isWhole: false, seq, kind });
    expect(broken?.text).toContain(`entry ${seq === 11 ? 10 : seq}`);
  });
});

describe("an end that was cut off whole", () => {
  it("is told by a head that was noted outside of the store, and by nothing else", async () => {
    const { trail, store } = sampleLog();
    await fill(trail(), 12);
    const { head } = await trail().list({ limit: 1 });
    await cutTo(store.state, 10, 12);
    const fresh = trail();
    expect((await fresh.verify()).isWhole).toBe(true);
    expect(await trail().verify(head)).toMatchObject({ isWhole: false, broken: { seq: 11, kind: "cut" } });
  });

  it("is written into the log by a process that saw it, with the digest that it ended with", async () => {
    const { trail, store } = sampleLog();
    const log = trail();
    await fill(log, 12);
    const { head } = await log.list({ limit: 1 });
    await cutTo(store.state, 10, 12);
    await fill(log, 1, "after");
    const { entries } = await log.list({ limit: 2 });
    expect(entries).toMatchObject([
      { seq: 11, target: "after1" },
      { seq: 12, action: "audit.cut", target: expect.stringContaining(`12:${head.digest}`) as string },
    ]);
  });

  it("and grew again differs from what was noted", async () => {
    const { trail, store } = sampleLog();
    await fill(trail(), 12);
    const { head } = await trail().list({ limit: 1 });
    await cutTo(store.state, 10, 12);
    await fill(trail(), 5, "other");
    expect(await trail().verify(head)).toMatchObject({ isWhole: false, broken: { seq: 12, kind: "changed" } });
  });
});

it("a head that is gone is made anew from what is left", async () => {
  const { trail, store } = sampleLog();
  await fill(trail({ bounds: { live: 1, segments: 100 } }), 200);
  await expect.poll(async () => (await store.state.list("audit/segments")).length).toBe(3);
  await take(store.state, HEAD_KEY);
  const log = trail();
  await fill(log, 1, "after");
  expect((await log.list({ limit: 1 })).entries[0]).toMatchObject({ seq: 201, target: "after1" });
  expect(await log.verify()).toMatchObject({ isWhole: true, entries: 201 });
});

it("what was put behind the end and does not follow keeps nobody from writing", async () => {
  const { trail, store } = sampleLog();
  await fill(trail(), 3);
  await store.state.write(entryKey(4), Buffer.from("in the way"), undefined);
  const log = trail();
  await fill(log, 1, "after");
  expect((await log.list({ limit: 1 })).entries[0]).toMatchObject({ seq: 4, target: "after1" });
  expect((await log.verify()).isWhole).toBe(true);
});

it("a packed segment that was changed is named by its first wrong entry", async () => {
  const { trail, store } = sampleLog();
  const log = trail({ bounds: { live: 1, segments: 100 } });
  await fill(log, 200);
  await expect.poll(async () => (await store.state.list("audit/segments")).length).toBe(3);
  const [first, second] = await store.state.list("audit/segments");
  if (first === undefined || second === undefined) throw new Error("two segments were expected");
  await store.state.write(second.key, first.value, second.rev);
  expect((await log.verify()).broken).toMatchObject({ seq: 65, kind: "reordered" });
});
