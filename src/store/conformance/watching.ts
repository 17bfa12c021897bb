import { describe, expect, it } from "vitest";

import type { Rev } from "../contract.ts";
import { text, plain, follow, type ConformancePlace } from "./place.ts";

/** Watching. */
export function describeWatching(place: ConformancePlace): void {
  const { open, openMany } = place;
  describe("watching", () => {
    it("brings four watchers to the last state of every key and never backwards", async () => {
      const stores = await openMany(5);
      const [writer, ...watchers] = stores;
      const last = new Map<string, string>();
      const isLast = (state: ReadonlyMap<string, string>): boolean =>
        last.has("w/done") && state.size === last.size && [...last].every(([key, value]) => state.get(key) === value);
      const following = watchers.map(({ state }) => follow(state.watch("w", { signal: place.stop.signal }), isLast));
      const revs = new Map<string, Rev | undefined>();
      for (let round = 0; round < 120; round += 1) {
        const key = `w/${round % 12}`;
        const rev = revs.get(key);
        const isRemoval = round % 7 === 6 && rev !== undefined;
        if (isRemoval) await writer?.state.remove(key, rev);
        else revs.set(key, await writer?.state.write(key, text(String(round)), rev));
        if (isRemoval) revs.delete(key);
        if (isRemoval) last.delete(key);
        else last.set(key, String(round));
      }
      await writer?.state.write("w/done", text("done"), undefined);
      last.set("w/done", "done");
      // Noted first: a watcher may hear of a write before its writer does.
      last.set("w/after", "wakes those that were already there");
      await writer?.state.write("w/after", text("wakes those that were already there"), undefined);
      for (const seen of await Promise.all(following)) {
        expect(seen[0]?.type).toBe("reset");
        const newest = new Map<string, number>();
        for (const change of seen) {
          if (change.type !== "put" || !/^w\/\d/.test(change.entry.key)) continue;
          const value = Number(plain(change.entry.value));
          expect(value).toBeGreaterThan(newest.get(change.entry.key) ?? -1);
          newest.set(change.entry.key, value);
        }
      }
    });

    it("begins with everything below the prefix and tells nothing from outside it", async () => {
      const { state } = await open();
      await state.write("a/1", text("1"), undefined);
      await state.write("b/1", text("1"), undefined);
      const following = follow(state.watch("a", { signal: place.stop.signal }), (now) => now.has("a/2"));
      await state.write("b/2", text("2"), undefined);
      await state.write("a/2", text("2"), undefined);
      const keys = (await following).flatMap((change) =>
        change.type === "reset" ? change.entries.map((entry) => entry.key) : change.type === "put" ? [change.entry.key] : [],
      );
      expect(new Set(keys)).toEqual(new Set(["a/1", "a/2"]));
    });

    it.each([
      ["the last cursor", (cursor: string) => cursor],
      ["a cursor that means nothing", () => "no such cursor"],
    ])("goes on from %s without missing a change or a removal", async (_name, pick) => {
      const store = await open();
      const kept = await store.state.write("a/kept", text("1"), undefined);
      const gone = await store.state.write("a/gone", text("1"), undefined);
      const state = new Map([
        ["a/kept", "1"],
        ["a/gone", "1"],
      ]);
      const [reset] = await follow(store.state.watch("a", { signal: place.stop.signal }), () => true);
      await store.state.remove("a/gone", gone);
      await store.state.write("a/kept", text("2"), kept);
      await store.state.write("a/new", text("1"), undefined);
      const cursor = pick(reset?.type === "reset" ? reset.cursor : "");
      for await (const change of store.state.watch("a", { cursor, signal: place.stop.signal })) {
        if (change.type === "reset") state.clear();
        if (change.type === "reset") for (const entry of change.entries) state.set(entry.key, plain(entry.value));
        if (change.type === "put") state.set(change.entry.key, plain(change.entry.value));
        if (change.type === "del") state.delete(change.key);
        if (state.size === 2 && state.get("a/new") === "1" && state.get("a/kept") === "2") break;
      }
      expect([...state.keys()].sort()).toEqual(["a/kept", "a/new"]);
    });

    it("ends when its signal aborts", async () => {
      const { state } = await open();
      const ending = new AbortController();
      const watch = state.watch("", { signal: ending.signal })[Symbol.asyncIterator]();
      await watch.next();
      const next = watch.next();
      ending.abort();
      expect((await next).done).toBe(true);
    });
  });
}
