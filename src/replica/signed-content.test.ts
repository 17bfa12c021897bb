import { afterEach, beforeAll, beforeEach, expect, it } from "vitest";

import { instant, silentLog } from "../base/index.ts";
import type { Signing } from "../identity/index.ts";
import { makeTestAuthority } from "../identity/testing/test-identities.ts";
import { createMemoryStore, type FarmStore } from "../store/index.ts";
import { pointerKey, writePointer } from "./content-pointer.ts";
import { createContentReplica, type ContentReplica } from "./content-replica.ts";
import { encodeManifest } from "./manifest.ts";
import { filesOf, manifestOf, putFiles, type Files } from "./testing/content-fixture.ts";
import { scratchDirectory } from "./testing/scratch.ts";

let ann: Signing;
let web1: Signing;
let stranger: Signing;
beforeAll(async () => {
  const [authority, other] = await Promise.all([makeTestAuthority(), makeTestAuthority()]);
  [ann, web1, stranger] = await Promise.all([
    authority.signing("admin", "ann"),
    authority.signing("node", "web1"),
    other.signing("admin", "ann"),
  ]);
});

let store: FarmStore;
let scratch: Awaited<ReturnType<typeof scratchDirectory>>;
let replica: ContentReplica;
const never = new AbortController().signal;
beforeEach(async () => {
  store = createMemoryStore();
  scratch = await scratchDirectory();
  replica = await createContentReplica({ store, dataDir: scratch.path, log: silentLog, signing: web1 });
});
afterEach(() => scratch.remove());

/** Publishes as somebody, signed for the folder `named`; returns what was put into the store. */
async function publish(
  signing: Signing | undefined,
  files: Files,
  { atMs, named = "www" }: { atMs: number; named?: string },
): Promise<Uint8Array> {
  await putFiles(store, "www", files);
  const bytes = encodeManifest(manifestOf("www", files));
  const blob = (async function* (): AsyncGenerator<Uint8Array> {
    yield bytes;
  })();
  const digest = await store.state.putBlob(blob);
  const value = writePointer(signing, named, { digest, files: Object.keys(files).length, bytes: 0, at: instant(atMs) });
  await put(value);
  return value;
}

async function put(value: Uint8Array): Promise<void> {
  const before = await store.state.read(pointerKey("www"));
  await store.state.write(pointerKey("www"), value, before?.rev);
  await replica.sync(["www"], never);
}

const NOW = Date.now();
const GOOD = { "index.html": "good" };

it.each<[string, () => Signing | undefined, string, string]>([
  ["nobody signed", () => undefined, "www", "it is not signed"],
  ["an admin of another farm signed", () => stranger, "www", "not signed by an authority"],
  ["an admin signed for another site", () => ann, "shop", "it was used before, or nobody asked for it"],
])("content that no admin published is not taken: the node goes on with what it has (what %s)", async (_name, who, named, why) => {
  await publish(ann, GOOD, { atMs: NOW });
  expect(await filesOf(replica.tree("www"))).toEqual(GOOD);
  await publish(who(), { "index.html": "evil" }, { atMs: NOW + 1, named });
  expect(await filesOf(replica.tree("www"))).toEqual(GOOD);
  expect(replica.reports()[0]?.problem).toContain(why);
});

it("a node's identity publishes nothing", async () => {
  await expect(publish(web1, GOOD, { atMs: NOW })).rejects.toMatchObject({ code: "SIGNING_ROLE_WRONG" });
});

it("an older publication does not take the place of the one that a running node has", async () => {
  const old = await publish(ann, GOOD, { atMs: NOW });
  await publish(ann, { "index.html": "new" }, { atMs: NOW + 1 });
  await put(old);
  expect(await filesOf(replica.tree("www"))).toEqual({ "index.html": "new" });
  expect(replica.reports()[0]?.problem).toContain("an older publication was put in its place");
});
