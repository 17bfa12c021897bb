import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";

import { silentLog, systemClock } from "../base/index.ts";
import { openDirectoryStore, openStoreLater } from "./index.ts";
import { makeTempRoot } from "./testing/temp-root.ts";

const text = (value: string): Uint8Array => new TextEncoder().encode(value);

it("refuses calls while the store is not there, founds nothing, and works when it comes", async () => {
  const base = await makeTempRoot();
  const [root, away] = [join(base, "farm"), join(base, "away")];
  const found = await openDirectoryStore({ root: away, log: silentLog, clock: systemClock });
  await found.state.write("nodes/web1", text("v"), undefined);
  await found.close();
  await mkdir(root);

  const store = openStoreLater({ place: root }, { log: silentLog, clock: systemClock, pollMs: 50 });
  const unavailable = { code: "STORE_UNAVAILABLE" };
  await expect(store.state.read("nodes/web1")).rejects.toMatchObject(unavailable);
  await expect(store.folder("certificates").names()).rejects.toMatchObject(unavailable);
  expect(await readdir(root)).toEqual([]);
  const stop = new AbortController();
  const first = store.state.watch("nodes", { signal: stop.signal })[Symbol.asyncIterator]().next();

  await rm(root, { recursive: true });
  await rename(away, root);
  expect((await first).value).toMatchObject({ type: "reset", entries: [{ key: "nodes/web1" }] });
  expect(await store.folder("certificates").names()).toEqual([]);
  stop.abort();
  await store.close();
  await expect(store.state.read("nodes/web1")).rejects.toMatchObject(unavailable);
  await rm(base, { recursive: true });
});

it("ends a watch that waits for the store when told to", async () => {
  const base = await makeTempRoot();
  const store = openStoreLater({ place: join(base, "farm") }, { log: silentLog, clock: systemClock });
  const stop = new AbortController();
  const next = store.folder("content").watch({ signal: stop.signal })[Symbol.asyncIterator]().next();
  stop.abort();
  expect((await next).done).toBe(true);
  await store.close();
  await rm(base, { recursive: true });
});
