import { readdir } from "node:fs/promises";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { silentLog, systemClock } from "../../base/index.ts";
import { checkStore } from "../check/check-store.ts";
import { increment, plain, text } from "../conformance/place.ts";
import { openDirectoryStore, type FarmStore } from "../index.ts";
import { mountShare, type FaultyShare } from "../testing/fuse/mount-share.ts";

const open = (root: string): Promise<FarmStore> => openDirectoryStore({ root, log: silentLog, clock: systemClock, pollMs: 100 });

describe("on a share that is at fault", () => {
  let share: FaultyShare;
  let opened: FarmStore[];

  beforeEach(async () => {
    share = await mountShare();
    opened = [];
  });
  afterEach(async () => {
    await share.set({});
    await Promise.all(opened.map((store) => store.close()));
    await share.unmount();
  });
  const openHere = async (): Promise<FarmStore> => {
    const store = await open(share.root);
    opened.push(store);
    return store;
  };

  it("no write is lost though directories are shown as they were 100 ms ago", async () => {
    const [one, two] = [await openHere(), await openHere()];
    await share.set({ staleMs: 100 });
    const many = async ({ state }: FarmStore): Promise<void> => {
      for (let at = 0; at < 4; at += 1) await increment(state, "counter");
    };
    await Promise.all([many(one), many(two)]);
    await share.set({});
    expect(plain((await (await openHere()).state.read("counter"))?.value)).toBe("8");
  });

  it("exactly one of three writers makes a key, without links too, and nobody sees half of it", async () => {
    await share.set({ noLinks: true, noRenameOverOpen: true });
    const stores = await Promise.all([openHere(), openHere(), openHere()]);
    for (let round = 0; round < 5; round += 1) {
      const value = (at: number): Uint8Array => text(String(at).repeat(20_000));
      const made = await Promise.allSettled(stores.map(({ state }, at) => state.write(`round/${round}`, value(at), undefined)));
      const winners = made.flatMap(({ status }, at) => (status === "fulfilled" ? [at] : []));
      expect(winners).toHaveLength(1);
      for (const { state } of stores) expect(plain((await state.read(`round/${round}`))?.value)).toBe(plain(value(winners[0] ?? -1)));
    }
  });

  it("a file that somebody reads is replaced all the same", async () => {
    await share.set({ noRenameOverOpen: true });
    const store = await openHere();
    await store.folder("config").put("farm.yaml", text("x".repeat(600_000)));
    const reading = store.folder("config").open("farm.yaml")[Symbol.asyncIterator]();
    await reading.next();
    const putting = store.folder("config").put("farm.yaml", text("new"));
    await reading.return?.();
    await putting;
    expect(plain((await store.folder("config").read("farm.yaml", { maxBytes: 100 }))?.bytes)).toBe("new");
  });

  it.each([
    ["EIO", "STORE_UNAVAILABLE"],
    ["ENOSPC", "STORE_UNAVAILABLE"],
  ] as const)("a write that meets %s says so, leaves nothing half-written, and goes well later", async (errno, code) => {
    const { state } = await openHere();
    const rev = await state.write("k", text("before"), undefined);
    await share.set({ fail: { errno, calls: ["write"], times: -1 } });
    await expect(state.write("k", text("after"), rev)).rejects.toMatchObject({ code, message: expect.stringContaining(errno) });
    await share.set({});
    expect(plain((await state.read("k"))?.value)).toBe("before");
    await state.write("k", text("after"), rev);
    expect(plain((await state.read("k"))?.value)).toBe("after");
  });

  it("a share that was exported anew is away, not empty, until it is back", async () => {
    const store = await openHere();
    await store.state.write("k", text("v"), undefined);
    await store.folder("certificates").put("www.example.com.pem", text("certificate"));
    await share.set({ fail: { errno: "ESTALE", calls: ["getattr", "readdir", "open"], times: -1 } });
    await expect(store.state.read("k")).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
    await expect(store.folder("certificates").names()).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
    await share.set({});
    expect(await store.folder("certificates").names()).toEqual(["www.example.com.pem"]);
    expect(plain((await store.state.read("k"))?.value)).toBe("v");
  });

  it("a slow share works, and the check says what kind it is", async () => {
    await share.set({ delayMs: 1 });
    const check = await checkStore({ place: share.root }, { log: silentLog, clock: systemClock, signal: new AbortController().signal });
    expect([...check.steps, ...check.facts].filter(({ outcome }) => outcome === "wrong")).toEqual([]);
    expect(check.facts.find(({ name }) => name === "file system")).toMatchObject({
      outcome: "note",
      text: expect.stringContaining("fuse"),
    });
    expect(check.facts.find(({ name }) => name === "events")).toMatchObject({ outcome: "note", text: expect.stringContaining("polled") });
    expect(await readdir(share.root)).toEqual([]);
  });

  it("a share that is mounted read-only is told as that, by the check too", async () => {
    const store = await openHere();
    await share.set({ readOnly: true });
    const problem = { code: "STORE_UNAVAILABLE", message: expect.stringContaining("read-only") as unknown };
    await expect(store.state.write("k", text("v"), undefined)).rejects.toMatchObject(problem);
    const checking = checkStore({ place: share.root }, { log: silentLog, clock: systemClock, signal: new AbortController().signal });
    await expect(checking).rejects.toMatchObject(problem);
  });
});
