import { rm } from "node:fs/promises";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { silentLog, systemClock } from "../../base/index.ts";
import { openDirectoryStore, openEtcdStore, type Change, type FarmStore } from "../index.ts";
import { startCutProxy, type CutProxy } from "../testing/cut-proxy.ts";
import { startEtcd, type EtcdCluster } from "../testing/etcd.ts";
import { makeTempRoot } from "../testing/temp-root.ts";

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const plain = (value: Uint8Array | undefined): string => new TextDecoder().decode(value);
const base64 = (value: string): string => Buffer.from(value).toString("base64");

let etcd: EtcdCluster;
let proxy: CutProxy;
let files: string;
let prefix: string;
let farms = 0;
let stop: AbortController;
const opened: FarmStore[] = [];

beforeAll(async () => {
  etcd = await startEtcd({ args: ["--quota-backend-bytes", String(10 * 1024 * 1024)] });
  proxy = await startCutProxy(etcd.members[0]?.port ?? 0);
});
afterAll(async () => {
  await proxy.close();
  await etcd.stop();
});
beforeEach(async () => {
  farms += 1;
  prefix = `faults/farm${farms}`;
  files = await makeTempRoot();
  stop = new AbortController();
});
afterEach(async () => {
  stop.abort();
  await Promise.all(opened.splice(0).map((store) => store.close()));
  await rm(files, { recursive: true, force: true });
});

/** A handle behind the proxy, or straight at the server. */
async function open(behindProxy: boolean): Promise<FarmStore["state"]> {
  const url = behindProxy ? `etcd://127.0.0.1:${proxy.port}/${prefix}` : etcd.address(prefix);
  const store = await openEtcdStore({ url, blobs: files, log: silentLog, clock: systemClock });
  opened.push(store);
  return store.state;
}

async function next(watch: AsyncIterator<Change>): Promise<Change> {
  const { value, done } = await watch.next();
  if (done === true) throw new Error("the watch ended");
  return value;
}

/** The next change that tells of keys. */
async function nextOfKeys(watch: AsyncIterator<Change>): Promise<Change> {
  for (;;) {
    const change = await next(watch);
    if (change.type !== "stale" && change.type !== "live") return change;
  }
}

describe("an answer that never came", () => {
  it("is a success when the history shows the write", async () => {
    const state = await open(true);
    proxy.loseNextReplyTo("/v3/kv/txn");
    const first = await state.write("k", text("1"), undefined);
    proxy.loseNextReplyTo("/v3/kv/txn");
    const second = await state.write("k", text("2"), first);
    expect(await state.read("k")).toEqual({ key: "k", value: text("2"), rev: second });
    proxy.loseNextReplyTo("/v3/kv/txn");
    await state.remove("k", second);
    expect(await state.read("k")).toBeUndefined();
  });

  it("is unknown while the key stands where the write expects it", async () => {
    const state = await open(true);
    const first = await state.write("k", text("1"), undefined);
    proxy.loseNextRequest("/v3/kv/txn");
    await expect(state.write("k", text("2"), first)).rejects.toMatchObject({ code: "STORE_UNKNOWN" });
    proxy.loseNextRequest("/v3/kv/txn");
    await expect(state.remove("k", first)).rejects.toMatchObject({ code: "STORE_UNKNOWN" });
    expect(await state.read("k")).toEqual({ key: "k", value: text("1"), rev: first });
  });

  it.each([
    ["write", "written"],
    ["remove", "written"],
    ["write", "removed"],
    ["remove", "removed"],
  ] as const)("is a conflict when a %s finds the key %s by another", async (verb, other) => {
    const [state, rival] = [await open(true), await open(false)];
    const first = await state.write("k", text("1"), undefined);
    if (other === "written") await rival.write("k", text("rival"), first);
    else await rival.remove("k", first);
    proxy.loseNextReplyTo("/v3/kv/txn");
    const lost = verb === "write" ? state.write("k", text("2"), first) : state.remove("k", first);
    await expect(lost).rejects.toMatchObject({ code: "STORE_CONFLICT" });
  });

  it("is a conflict when another created the key", async () => {
    const [state, rival] = [await open(true), await open(false)];
    await rival.write("k", text("rival"), undefined);
    proxy.loseNextReplyTo("/v3/kv/txn");
    await expect(state.write("k", text("mine"), undefined)).rejects.toMatchObject({ code: "STORE_CONFLICT" });
    expect(plain((await state.read("k"))?.value)).toBe("rival");
  });
});

describe("a watch that was cut", () => {
  it("goes on after the last change it told", async () => {
    const [state, writer] = [await open(true), await open(false)];
    const watch = state.watch("w", { signal: stop.signal })[Symbol.asyncIterator]();
    expect(await next(watch)).toMatchObject({ type: "reset", entries: [] });
    let rev = await writer.write("w/k", text("0"), undefined);
    expect(await next(watch)).toMatchObject({ type: "put", entry: { rev } });
    for (let round = 1; round <= 5; round += 1) {
      proxy.cut();
      rev = await writer.write("w/k", text(String(round)), rev);
      await writer.write(`w/${round}`, text("v"), undefined);
      proxy.mend();
      expect(await nextOfKeys(watch)).toMatchObject({ type: "put", entry: { key: "w/k", value: text(String(round)), rev } });
      expect(await nextOfKeys(watch)).toMatchObject({ type: "put", entry: { key: `w/${round}` } });
    }
  });

  it("says stale, then live, then everything anew when the history was compacted meanwhile", async () => {
    const [state, writer] = [await open(true), await open(false)];
    const gone = await writer.write("w/gone", text("1"), undefined);
    const watch = state.watch("w", { signal: stop.signal })[Symbol.asyncIterator]();
    expect(await next(watch)).toMatchObject({ type: "reset", entries: [{ key: "w/gone" }] });
    proxy.cut();
    expect((await next(watch)).type).toBe("stale");
    await writer.remove("w/gone", gone);
    const revision = await writer.write("w/new", text("1"), undefined);
    await etcd.call("/v3/kv/compaction", { revision, physical: true });
    proxy.mend();
    expect((await next(watch)).type).toBe("live");
    const reset = await next(watch);
    expect(reset).toMatchObject({ type: "reset", entries: [{ key: "w/new", rev: revision }] });
    await writer.write("w/newer", text("1"), undefined);
    expect(await next(watch)).toMatchObject({ type: "put", entry: { key: "w/newer" } });
  });

  it.each([
    ["of another cluster", (cursor: string) => cursor.replace(/^\d+/, "1")],
    ["from before a backup was restored", (cursor: string) => `${cursor}000000`],
  ])("begins anew with a cursor %s", async (_name, change) => {
    const state = await open(false);
    const [first] = [await next(state.watch("w", { signal: stop.signal })[Symbol.asyncIterator]())];
    const cursor = change(first?.type === "reset" ? first.cursor : "");
    await state.write("w/k", text("1"), undefined);
    const again = state.watch("w", { cursor, signal: stop.signal })[Symbol.asyncIterator]();
    expect(await next(again)).toMatchObject({ type: "reset", entries: [{ key: "w/k" }] });
  });
});

describe("what is at the prefix", () => {
  const meta = (): string => `${prefix}/meta/farm`;

  it("is refused when a newer certfarm wrote it", async () => {
    await etcd.call("/v3/kv/put", { key: base64(meta()), value: base64(JSON.stringify({ format: 2, farm: "x" })) });
    await expect(open(false)).rejects.toMatchObject({ code: "STORE_NEWER" });
  });

  it("is refused when it is another farm's", async () => {
    await open(false);
    await rm(files, { recursive: true, force: true });
    await (await openDirectoryStore({ root: files, log: silentLog, clock: systemClock })).close();
    await expect(open(false)).rejects.toMatchObject({ code: "STORE_OF_ANOTHER_FARM" });
  });

  it("is refused when it is another farm than the one that was asked for", async () => {
    await open(false);
    const options = { url: etcd.address(prefix), log: silentLog, clock: systemClock, create: false };
    await expect(openEtcdStore({ ...options, farm: "another" })).rejects.toMatchObject({ code: "STORE_OF_ANOTHER_FARM" });
  });

  it("is not believed to be empty when etcd was set up anew", async () => {
    const options = { url: etcd.address(prefix), blobs: files, log: silentLog, clock: systemClock };
    const store = await openEtcdStore(options);
    opened.push(store);
    const certificates = store.folder("certificates");
    await certificates.put("a.pem", new Uint8Array(3));
    const range = { key: base64(`${prefix}/`), range_end: base64(`${prefix}0`) };
    await etcd.call("/v3/kv/deleterange", range);
    const lost = { code: "STORE_UNAVAILABLE", message: expect.stringContaining("its data was lost") as string };
    await expect(certificates.names()).rejects.toMatchObject(lost);
    await expect(certificates.stat("a.pem")).rejects.toMatchObject(lost);
    await expect(store.state.read("k")).rejects.toMatchObject(lost);
    await expect(store.state.list("")).rejects.toMatchObject(lost);
  });

  it("is refused when it is no farm and none may be made", async () => {
    await open(false);
    const options = { url: etcd.address("faults/empty"), blobs: files, log: silentLog, clock: systemClock, create: false };
    await expect(openEtcdStore(options)).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
  });

  it("is told as damaged when somebody else wrote there", async () => {
    const state = await open(false);
    await etcd.call("/v3/kv/put", { key: base64(`${prefix}/keys/k`), value: base64("by hand") });
    await expect(state.read("k")).rejects.toMatchObject({ code: "STORE_CORRUPT" });
    await expect(state.list("")).rejects.toMatchObject({ code: "STORE_CORRUPT" });
  });
});

it("says that the space is used up, keeps what it has and still reads", async () => {
  const state = await open(false);
  const value = new Uint8Array(512 * 1024).fill(7);
  const fill = async (): Promise<void> => {
    for (let at = 0; at < 100; at += 1) await state.write(`full/${at}`, value, undefined);
  };
  await expect(fill()).rejects.toMatchObject({ code: "STORE_FULL" });
  expect((await state.list("full")).every((entry) => entry.value.byteLength === value.byteLength)).toBe(true);
});
