import { createHash, randomBytes } from "node:crypto";

import { describe, expect, it } from "vitest";

import type { FarmStore, Rev } from "../contract.ts";
import { text, plain, sha256, increment, type ConformancePlace } from "./place.ts";

/** Compare-and-set. */
export function describeCompareAndSet(place: ConformancePlace): void {
  const { open, openMany } = place;
  describe("compare-and-set", () => {
    it("loses no increment of several handles and accepts no expectation twice", async () => {
      const stores = await openMany(4);
      const each = async ({ state }: FarmStore): Promise<(Rev | undefined)[]> => {
        const used: (Rev | undefined)[] = [];
        for (let round = 0; round < 25; round += 1) used.push(await increment(state, "counter"));
        return used;
      };
      const used = (await Promise.all(stores.map(each))).flat();
      expect(plain((await stores[0]?.state.read("counter"))?.value)).toBe("100");
      expect(new Set(used).size).toBe(100);
    });

    it("lets exactly one of six contenders create a key", async () => {
      const stores = await openMany(6);
      for (let round = 0; round < 20; round += 1) {
        const tries = stores.map(({ state }, at) => state.write(`round/${round}`, text(String(at)), undefined));
        const results = await Promise.allSettled(tries);
        expect(results.filter((result) => result.status === "fulfilled")).toHaveLength(1);
        for (const result of results) if (result.status === "rejected") expect(result.reason).toMatchObject({ code: "STORE_CONFLICT" });
        const winner = results.findIndex((result) => result.status === "fulfilled");
        expect(plain((await stores[0]?.state.read(`round/${round}`))?.value)).toBe(String(winner));
      }
    });

    it("refuses a stale expectation and changes nothing", async () => {
      const { state } = await open();
      const first = await state.write("k", text("1"), undefined);
      const second = await state.write("k", text("2"), first);
      const conflict = { code: "STORE_CONFLICT" };
      await expect(state.write("k", text("3"), first)).rejects.toMatchObject(conflict);
      await expect(state.write("k", text("3"), undefined)).rejects.toMatchObject(conflict);
      await expect(state.remove("k", first)).rejects.toMatchObject(conflict);
      await expect(state.write("absent", text("3"), first)).rejects.toMatchObject(conflict);
      await expect(state.remove("absent", first)).rejects.toMatchObject(conflict);
      expect(await state.read("k")).toEqual({ key: "k", value: text("2"), rev: second });
    });

    it("never gives a removed and recreated key a rev it had before", async () => {
      const { state } = await open();
      const revs = new Set<Rev>();
      for (let round = 0; round < 5; round += 1) {
        const rev = await state.write("k", text("same"), undefined);
        for (const old of revs) await expect(state.write("k", text("aba"), old)).rejects.toMatchObject({ code: "STORE_CONFLICT" });
        expect(revs.has(rev)).toBe(false);
        revs.add(rev);
        await state.remove("k", rev);
        expect(await state.read("k")).toBeUndefined();
        expect(await state.list("")).toEqual([]);
      }
    });

    it("shows every write to another handle at once", async () => {
      const [one, two] = await openMany(2);
      let rev: Rev | undefined;
      for (let round = 0; round < 100; round += 1) {
        rev = await one?.state.write("k", text(String(round)), rev);
        expect(plain((await two?.state.read("k"))?.value)).toBe(String(round));
      }
    });

    it("never shows half a value while it is rewritten", async () => {
      const [writer, ...readers] = await openMany(5);
      const progress = { isDone: false };
      let reads = 0;
      const whole = (value: Uint8Array): string => sha256(value.subarray(32));
      const make = (): Uint8Array => {
        const body = randomBytes(100 * 1024);
        return Uint8Array.from(Buffer.concat([createHash("sha256").update(body).digest(), body]));
      };
      let rev = await writer?.state.write("k", make(), undefined);
      const read = async ({ state }: FarmStore): Promise<void> => {
        while (!progress.isDone) {
          const value = (await state.read("k"))?.value ?? new Uint8Array();
          expect(Buffer.from(value.subarray(0, 32)).toString("hex")).toBe(whole(value));
          reads += 1;
          await new Promise(setImmediate);
        }
      };
      const reading = readers.map(read);
      for (let round = 0; round < 40; round += 1) {
        rev = await writer?.state.write("k", make(), rev);
        await new Promise(setImmediate);
      }
      progress.isDone = true;
      await Promise.all(reading);
      expect(reads).toBeGreaterThan(20);
    });
  });
}
