import { expect, it } from "vitest";

import { createMemoryBacking, createMemoryStore, selfTestStore, type FaultPlan } from "./index.ts";

it("tells times and leaves nothing behind", async () => {
  const store = createMemoryStore();
  const result = await selfTestStore(store);
  expect(result).toMatchObject({ ok: true, location: "memory" });
  for (const ms of [result.writeMs, result.readMs, result.removeMs]) expect(ms).toBeGreaterThanOrEqual(0);
  expect(await store.state.list("")).toEqual([]);
});

it.each([
  ["writing", "write", 0],
  ["reading", "read", 0],
  ["removing", "remove", 1],
] as const)("says that %s failed and tidies up as far as it can", async (_name, verb, left) => {
  const backing = createMemoryBacking();
  const faults: FaultPlan = (call) => (call.verb === verb ? "unavailable" : undefined);
  const result = await selfTestStore(createMemoryStore({ backing, faults }));
  expect(result).toMatchObject({ ok: false, error: { code: "STORE_UNAVAILABLE" } });
  expect(await createMemoryStore({ backing }).state.list("self-test")).toHaveLength(left);
});
