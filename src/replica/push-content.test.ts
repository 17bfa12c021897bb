import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { afterEach, beforeEach, expect, it } from "vitest";

import { silentLog, systemClock } from "../base/index.ts";
import { createMemoryStore, openPlainFolder, type FarmStore } from "../store/index.ts";
import { createContentDuty } from "./content-duty.ts";
import { createContentReplica } from "./content-replica.ts";
import { listContent, publishSent, sendContent, type SentContent } from "./push-content.ts";
import { filesOf, putFiles, type Files } from "./testing/content-fixture.ts";
import { scratchDirectory } from "./testing/scratch.ts";

const signal = new AbortController().signal;
const SITE: Files = { "index.html": "one", "a/b.txt": "two" };

let scratch: Awaited<ReturnType<typeof scratchDirectory>>;
let store: FarmStore;
beforeEach(async () => {
  scratch = await scratchDirectory();
  store = createMemoryStore();
});
afterEach(() => rm(scratch.path, { recursive: true, force: true }));

async function send(files: Files, folder = "www"): Promise<SentContent> {
  const from = join(scratch.path, "from");
  await rm(from, { recursive: true, force: true });
  for (const [path, text] of Object.entries(files)) {
    await mkdir(join(from, path, ".."), { recursive: true });
    await writeFile(join(from, path), text);
  }
  await mkdir(from, { recursive: true });
  const source = openPlainFolder(from, { clock: systemClock, log: silentLog });
  try {
    return await sendContent(store.state, source.folder, { folder, signal });
  } finally {
    source.close();
  }
}

const publish = (sent: SentContent): ReturnType<typeof publishSent> => publishSent({ store, clock: systemClock }, sent.folder, sent.digest);

it("reaches a node whole, from blobs alone, and again when it changes", async () => {
  const replica = await createContentReplica({ store, dataDir: join(scratch.path, "data"), log: silentLog });
  await publish(await send(SITE));
  await replica.sync(["www"], signal);
  expect(await filesOf(replica.tree("www"))).toEqual(SITE);
  const sent = await send({ "index.html": "new" });
  await replica.sync(["www"], signal);
  expect(await filesOf(replica.tree("www"))).toEqual(SITE); // what is sent is not published
  await publish(sent);
  await replica.sync(["www"], signal);
  expect(await filesOf(replica.tree("www"))).toEqual({ "index.html": "new" });
  expect(await listContent({ store, clock: systemClock })).toMatchObject([
    { folder: "www", pointer: { ...pointerOf(sent), pushed: true } },
  ]);
});

const pointerOf = ({ digest, files, bytes }: SentContent): Pick<SentContent, "digest" | "files" | "bytes"> => ({ digest, files, bytes });

it("is left alone by the duty, whether or not the store has a folder of that name", async () => {
  const duty = createContentDuty({ store, clock: systemClock, log: silentLog, settleMs: 1 });
  const sent = await send(SITE);
  await publish(sent);
  expect(await duty(signal)).toBe("settled");
  await putFiles(store, "www", { "index.html": "of the folder" });
  expect(await duty(signal)).toBe("settled");
  const [found] = await listContent({ store, clock: systemClock });
  expect(found).toMatchObject({ pointer: { digest: sent.digest } });
  expect(found).not.toHaveProperty("problem");
});

it.each([
  ["a folder without a file", {}, "www", "CONTENT_UNPUBLISHABLE"],
  ["a site with a name that is no folder's", SITE, "../www", "CONTENT_UNPUBLISHABLE"],
  ["a file whose name cannot be served", { "a\u0001b": "x" }, "www", "CONTENT_UNPUBLISHABLE"],
])("refuses %s", async (_what, files, folder, code) => {
  await expect(send(files, folder)).rejects.toMatchObject({ code });
});

it("refuses to publish what is no manifest of that site", async () => {
  const { digest } = await send(SITE, "other");
  await expect(publishSent({ store, clock: systemClock }, "www", digest)).rejects.toMatchObject({ code: "STORE_CORRUPT" });
});
