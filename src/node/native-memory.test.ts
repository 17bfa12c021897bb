import { expect, test } from "vitest";

import { createNativeMemory } from "./native-memory.ts";

test("memory is collected once for five hundred contexts that were let go, not for fewer", async () => {
  let collections = 0;
  const memory = createNativeMemory(() => (collections += 1));
  for (let at = 0; at < 499; at += 1) memory.letGo();
  await new Promise(setImmediate);
  expect(collections).toBe(0);
  for (let at = 0; at < 501; at += 1) memory.letGo();
  await new Promise(setImmediate);
  expect(collections).toBe(2);
});

test("V8's collector does give dead objects back", async () => {
  const memory = createNativeMemory();
  const dead = new WeakRef({});
  await new Promise(setImmediate); // a WeakRef keeps its target for the turn it was made in
  for (let at = 0; at < 500; at += 1) memory.letGo();
  await new Promise(setImmediate);
  await new Promise(setImmediate);
  expect(dead.deref()).toBeUndefined();
});
