import { describe, expect, it } from "vitest";

import type { Rev } from "../contract.ts";
import { text, type ConformancePlace } from "./place.ts";

/** Listing. */
export function describeListing(place: ConformancePlace): void {
  const { open, openMany } = place;
  describe("listing", () => {
    it("gives ten thousand keys, each once, for less than 5 s of processor time", async () => {
      const { state } = await open();
      const many = place.backing.manyKeys ?? 10_000;
      const keys = Array.from({ length: many }, (_, at) => `many/${at % 10}/${at}`);
      if (place.backing.fill === undefined) for (const key of keys) await state.write(key, text("v"), undefined);
      else await place.backing.fill(keys, text("v"));
      const before = process.cpuUsage();
      const listed = await state.list("many");
      const used = process.cpuUsage(before);
      expect((used.user + used.system) / 1000).toBeLessThan(5000);
      expect(listed).toHaveLength(many);
      expect(new Set(listed.map((entry) => entry.key)).size).toBe(many);
    });

    it("never leaves out a key that is there throughout", async () => {
      const [one, two] = await openMany(2);
      const revs = new Map<string, Rev | undefined>();
      for (let at = 0; at < 20; at += 1) revs.set(`k/${at}`, await one?.state.write(`k/${at}`, text("0"), undefined));
      const progress = { isDone: false };
      const writing = (async () => {
        for (let round = 0; round < 80; round += 1) {
          const key = `k/${round % 20}`;
          revs.set(key, await one?.state.write(key, text(String(round)), revs.get(key)));
        }
        progress.isDone = true;
      })();
      while (!progress.isDone) expect((await two?.state.list("k"))?.map((entry) => entry.key).sort()).toEqual([...revs.keys()].sort());
      await writing;
    });
  });
}
