import { describe, expect, it } from "vitest";

import { storeConformance } from "../conformance.ts";
import { createMemoryBacking, createMemoryStore, type FaultPlan } from "../index.ts";

const text = (value: string): Uint8Array => new TextEncoder().encode(value);

describe("memory driver", () => {
  it("shares one backing between several handles", async () => {
    const backing = createMemoryBacking();
    const [one, two] = [createMemoryStore({ backing }), createMemoryStore({ backing })];
    await one.state.write("nodes/web1", text("up"), undefined);
    await one.folder("certificates").put("www.example.com.pfx", text("pfx"));
    expect((await two.state.read("nodes/web1"))?.value).toEqual(text("up"));
    expect(await two.folder("certificates").names()).toEqual(["www.example.com.pfx"]);
  });

  it.each([
    ["a write that was not sent", "unavailable", "STORE_UNAVAILABLE", false],
    ["a write whose answer was lost and that was not applied", "unknown-lost", "STORE_UNKNOWN", false],
    ["a write whose answer was lost and that was applied", "unknown-applied", "STORE_UNKNOWN", true],
  ] as const)("reads back what became of %s", async (_name, fault, code, applied) => {
    const faults: FaultPlan = (call) => (call.verb === "write" ? fault : undefined);
    const store = createMemoryStore({ faults });
    await expect(store.state.write("k", text("v"), undefined)).rejects.toMatchObject({ code });
    expect((await store.state.read("k")) !== undefined).toBe(applied);
  });

  it("refuses calls after close and ends its watches", async () => {
    const store = createMemoryStore();
    const watch = store.state.watch("", { signal: new AbortController().signal })[Symbol.asyncIterator]();
    await watch.next();
    const ended = watch.next();
    await store.close();
    expect(await ended).toMatchObject({ done: true });
    await expect(store.state.read("k")).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
  });
});

storeConformance("memory driver", async () => {
  const backing = createMemoryBacking();
  return {
    open: async (clock) => createMemoryStore({ backing, ...(clock === undefined ? {} : { clock }) }),
    remove: async () => undefined,
  };
});
