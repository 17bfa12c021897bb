import { expect, it } from "vitest";

import { instant } from "../base/index.ts";
import { createMemoryStore } from "../store/index.ts";
import { createDrains } from "./drains.ts";

const clock = { now: () => instant(5), monotonicMs: () => 0 };

it("drains and undrains nodes, as often as asked", async () => {
  const drains = createDrains(createMemoryStore(), { clock });
  await drains.set("web2", "ann");
  await drains.set("web1", "ann");
  await drains.set("web1", "bob");
  expect(await drains.list()).toEqual([
    { node: "web1", by: "ann", at: 5 },
    { node: "web2", by: "ann", at: 5 },
  ]);
  await drains.unset("web1");
  await drains.unset("web1");
  expect((await drains.list()).map(({ node }) => node)).toEqual(["web2"]);
});

it("lists a drain whose record is damaged: the key is the drain", async () => {
  const store = createMemoryStore();
  await store.state.write("drains/web1", new TextEncoder().encode("{"), undefined);
  expect(await createDrains(store).list()).toMatchObject([{ node: "web1", by: "unknown" }]);
});

it("watches the set: the present one first, each change after it, and the last one stands while the store is away", async () => {
  let broken = false;
  const store = createMemoryStore({ faults: () => (broken ? "unavailable" : undefined) });
  const drains = createDrains(store, { clock });
  const stop = new AbortController();
  const seen: string[] = [];
  for await (const set of drains.watch(stop.signal)) {
    seen.push([...set].join());
    if (seen.length === 1) await drains.set("web1", "ann");
    if (seen.length === 2) {
      broken = true;
      setTimeout(() => {
        broken = false;
        void drains.unset("web1");
      }, 50);
    }
    if (seen.length === 3) stop.abort();
  }
  expect(seen).toEqual(["", "web1", ""]);
});
