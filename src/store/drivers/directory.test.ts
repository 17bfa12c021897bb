import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";

import { silentLog, systemClock } from "../../base/index.ts";
import { openDirectoryStore } from "../index.ts";

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
let root = "";

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "certfarm-store-"));
});
afterEach(async () => {
  await rm(root, { recursive: true, force: true });
});

it.each([
  ["by links", true],
  ["in place", false],
])("keeps versions, tells changes and leases when versions are made %s", async (_name, hardLinks) => {
  const store = await openDirectoryStore({ root, log: silentLog, clock: systemClock, hardLinks });
  const { state } = store;
  const watch = state.watch("a", { signal: new AbortController().signal })[Symbol.asyncIterator]();
  expect((await watch.next()).value).toMatchObject({ type: "reset", entries: [] });
  const rev = await state.write("a/b", text("1"), undefined);
  expect((await watch.next()).value).toMatchObject({ type: "put", entry: { key: "a/b", rev } });
  await expect(state.write("a/b", text("2"), undefined)).rejects.toMatchObject({ code: "STORE_CONFLICT" });
  await state.remove("a/b", rev);
  expect((await watch.next()).value).toMatchObject({ type: "del", key: "a/b" });
  expect(await state.read("a/b")).toBeUndefined();
  expect((await state.lease("x", 300, { signal: new AbortController().signal }))?.fence).toBe(1n);
  await store.folder("certificates").put("x.pfx", text("1"));
  expect(await store.folder("certificates").names()).toEqual(["x.pfx"]);
  await store.close();
});
