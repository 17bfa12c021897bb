import { execFileSync } from "node:child_process";
import { cp, mkdir, open, readdir, readFile, rename, rm, stat, truncate, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { silentLog, systemClock } from "../../base/index.ts";
import type { Change } from "../contract.ts";
import { openDirectoryStore, selfTestStore, type DirectoryStoreOptions, type FarmStore, type Rev } from "../index.ts";
import { makeTempRoot } from "../testing/temp-root.ts";
import { createByLink, KEPT_VERSIONS } from "./directory/commit.ts";
import { nextVersion } from "./directory/commit-step.ts";
import { createGate } from "./directory/gate.ts";
import { keyDirectory } from "./directory/key-scan.ts";
import { sweepState } from "./directory/sweep.ts";
import { encodeVersion, newRev } from "./directory/version-file.ts";
import { readVersion } from "./directory/versions.ts";

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const plain = (value: Uint8Array | undefined): string => new TextDecoder().decode(value);

let base = "";
let root = "";
let opened: FarmStore[];
let stop: AbortController;

const openStore = async (more: Partial<DirectoryStoreOptions> = {}): Promise<FarmStore> => {
  const store = await openDirectoryStore({ root, log: silentLog, clock: systemClock, pollMs: 50, ...more });
  opened.push(store);
  return store;
};
const directoryOf = (key: string): string => keyDirectory(join(root, "state", "keys"), key.split("/"));
const place = () => ({ keys: join(root, "state", "keys"), temp: join(root, "state", "tmp"), hasLinks: true, gate: createGate() });
const changesOf = (store: FarmStore, prefix: string): AsyncIterator<Change> =>
  store.state.watch(prefix, { signal: stop.signal })[Symbol.asyncIterator]();
/** The next change that is not word of the connection. */
async function nextChange(changes: AsyncIterator<Change>): Promise<Change> {
  for (;;) {
    const next = await changes.next();
    if (next.done === true) throw new Error("the watch ended");
    if (next.value.type !== "stale" && next.value.type !== "live") return next.value;
  }
}

beforeEach(async () => {
  base = await makeTempRoot();
  root = join(base, "farm");
  opened = [];
  stop = new AbortController();
});
afterEach(async () => {
  stop.abort();
  await Promise.all(opened.map((store) => store.close()));
  await rm(base, { recursive: true, force: true });
});

describe("versions of a key", () => {
  it("are readable by certfarm's user alone", async () => {
    const { state } = await openStore();
    await state.write("nodes/web1", text("v"), undefined);
    await state.putBlob(
      (async function* () {
        yield text("blob");
      })(),
    );
    const found = await readdir(join(root, "state"), { recursive: true, withFileTypes: true });
    expect(found.length).toBeGreaterThan(8);
    for (const entry of found) {
      const { mode } = await stat(join(entry.parentPath, entry.name));
      expect(`${entry.name} ${(mode & 0o777).toString(8)}`).toBe(`${entry.name} ${entry.isDirectory() ? "700" : "600"}`);
    }
  });

  it("are pruned to a few, the newest never", async () => {
    const { state } = await openStore();
    let rev: Rev | undefined;
    for (let round = 0; round < 30; round += 1) rev = await state.write("k", text(String(round)), rev);
    expect(await readdir(directoryOf("k"))).toHaveLength(KEPT_VERSIONS);
    expect(plain((await state.read("k"))?.value)).toBe("29");
  });

  it.each([
    ["a flipped bit", async (file: string) => writeFile(file, flipped(await readFile(file)))],
    ["a truncated value", async (file: string) => truncate(file, 200)],
    ["a truncated header", async (file: string) => truncate(file, 40)],
    ["no content", async (file: string) => truncate(file, 0)],
    ["other content", async (file: string) => writeFile(file, "x".repeat(4000))],
    ["more content than it had", async (file: string) => writeFile(file, "more", { flag: "a" })],
  ])("with %s are told as damaged, never as absent or by an older value", async (_name, damage) => {
    const { state } = await openStore();
    const rev = await state.write("nodes/web1", text("old"), undefined);
    await state.write("nodes/web1", text("n".repeat(300)), rev);
    await damage(join(directoryOf("nodes/web1"), "@2"));
    const damaged = { code: "STORE_CORRUPT", facts: { file: join(directoryOf("nodes/web1"), "@2") } };
    await expect(state.read("nodes/web1")).rejects.toMatchObject(damaged);
    await expect(state.list("nodes")).rejects.toMatchObject(damaged);
    await expect(state.write("nodes/web1", text("x"), undefined)).rejects.toMatchObject(damaged);
  });

  it("that were moved to another key are told as damaged", async () => {
    const { state } = await openStore();
    await state.write("nodes/web1", text("v"), undefined);
    await rename(directoryOf("nodes/web1"), directoryOf("nodes/web2"));
    await expect(state.read("nodes/web2")).rejects.toMatchObject({ code: "STORE_CORRUPT" });
  });

  it("do not fill a gap that pruning left while their writer slept", async () => {
    const { state } = await openStore();
    const first = await state.write("k", text("first"), undefined);
    const seen = await readVersion(directoryOf("k"), 1);
    if (seen === undefined || seen === "short") throw new Error("it was just written");
    let rev = first;
    for (let round = 0; round < 10; round += 1) rev = await state.write("k", text(String(round)), rev);
    const commit = { key: "k", directory: directoryOf("k"), expect: first, value: text("late") };
    const late = createByLink(place(), nextVersion(commit, { number: 1, ...seen }, 2), { sent: false });
    await expect(late).rejects.toMatchObject({ code: "STORE_CONFLICT" });
    expect(await state.read("k")).toMatchObject({ rev, value: text("9") });
    expect(await readdir(directoryOf("k"))).not.toContain("@2");
  });

  it("left half-written on a file system without links do not stop the next writer", async () => {
    const { state } = await openStore({ hardLinks: false });
    const rev = await state.write("k", text("whole"), undefined);
    await writeFile(join(directoryOf("k"), "@2"), "certfarm-version 1 0123");
    expect(plain((await state.read("k"))?.value)).toBe("whole");
    await state.write("k", text("next"), rev);
    expect(plain((await state.read("k"))?.value)).toBe("next");
  });
});

const flipped = (bytes: Buffer): Buffer => {
  bytes.writeUInt8(bytes.readUInt8(bytes.length - 1) ^ 1, bytes.length - 1);
  return bytes;
};

describe("sweeping", () => {
  it("removes what dead writers left and keeps what is young", async () => {
    await openStore();
    const [old, young] = [join(place().temp, ".certfarm-tmp-old"), join(place().temp, ".certfarm-tmp-young")];
    await writeFile(old, "");
    await writeFile(young, "");
    await utimes(old, new Date(), new Date(Date.now() - 7_200_000));
    const swept = await sweepState(place(), { tempMs: 3_600_000, tombstoneMs: 86_400_000 }, silentLog);
    expect(swept).toEqual({ temps: 1, keys: 0 });
    expect(await readdir(place().temp)).toEqual([".certfarm-tmp-young"]);
  });

  it("removes keys that were removed long ago, so that they cost nothing, and leaves the others", async () => {
    const { state } = await openStore();
    const rev = await state.write("requests/1/body", text("v"), undefined);
    await state.remove("requests/1/body", rev);
    await state.write("requests/2", text("v"), undefined);
    const ages = { tempMs: 3_600_000, tombstoneMs: 86_400_000 };
    expect(await sweepState(place(), ages, silentLog)).toEqual({ temps: 0, keys: 0 });
    expect(await sweepState(place(), { ...ages, tombstoneMs: -60_000 }, silentLog)).toEqual({ temps: 0, keys: 1 });
    expect(await readdir(directoryOf("requests"))).toEqual(["2"]);
    expect((await state.list("")).map((entry) => entry.key)).toEqual(["requests/2"]);
    await expect(state.write("requests/1/body", text("aba"), rev)).rejects.toMatchObject({ code: "STORE_CONFLICT" });
    expect(await state.write("requests/1/body", text("new"), undefined)).not.toBe(rev);
  });
});

describe("a share that is not there", () => {
  it("counts as unavailable in every call, is not written to, and comes back without a word of deletion", async () => {
    const store = await openStore();
    await store.state.write("nodes/web1", text("v"), undefined);
    await store.folder("certificates").put("www.example.com.pfx", text("pfx"));
    const changes = changesOf(store, "nodes");
    expect((await nextChange(changes)).type).toBe("reset");
    await rename(root, join(base, "away"));
    await mkdir(join(root, "certificates"), { recursive: true });

    const unavailable = { code: "STORE_UNAVAILABLE" };
    expect((await changes.next()).value).toMatchObject({ type: "stale" });
    await expect(store.state.read("nodes/web1")).rejects.toMatchObject(unavailable);
    await expect(store.state.list("nodes")).rejects.toMatchObject(unavailable);
    await expect(store.state.write("nodes/web2", text("v"), undefined)).rejects.toMatchObject(unavailable);
    await expect(store.folder("certificates").names()).rejects.toMatchObject(unavailable);
    await expect(store.folder("certificates").stat("www.example.com.pfx")).rejects.toMatchObject(unavailable);
    await expect(store.folder("certificates").read("www.example.com.pfx", { maxBytes: 9 })).rejects.toMatchObject(unavailable);
    await expect(store.folder("certificates").put("new.pfx", text("v"))).rejects.toMatchObject(unavailable);
    expect(await selfTestStore(store)).toMatchObject({ ok: false, error: unavailable });
    expect(await readdir(root, { recursive: true })).toEqual(["certificates"]);

    await rm(root, { recursive: true });
    await rename(join(base, "away"), root);
    expect((await changes.next()).value).toEqual({ type: "live" });
    await store.state.write("nodes/web2", text("v"), undefined);
    expect(await nextChange(changes)).toMatchObject({ type: "put", entry: { key: "nodes/web2" } });
    expect(await store.folder("certificates").names()).toEqual(["www.example.com.pfx"]);
  });

  it("is not founded anew by a member of a farm", async () => {
    await mkdir(root);
    await expect(openStore({ create: false })).rejects.toMatchObject({ code: "STORE_UNAVAILABLE", message: expect.stringContaining(root) });
    expect(await readdir(root)).toEqual([]);
  });

  it("is told from another farm's store in its place", async () => {
    const store = await openStore();
    await store.state.write("k", text("ours"), undefined);
    const ours = root;
    root = join(base, "other");
    await openStore();
    await rename(ours, join(base, "away"));
    await cp(root, ours, { recursive: true });
    await expect(store.state.read("k")).rejects.toMatchObject({
      code: "STORE_UNAVAILABLE",
      message: expect.stringContaining("another farm"),
    });
  });

  it("that hangs ends calls by their deadline, refuses others at once, and is used again when it answers", async () => {
    const store = await openStore();
    await store.state.write("hung", text("v"), undefined);
    await store.state.write("other", text("v"), undefined);
    const file = join(directoryOf("hung"), "@1");
    await rename(file, join(base, "kept"));
    execFileSync("mkfifo", [file]);
    await expect(store.state.read("hung")).rejects.toMatchObject({
      code: "STORE_UNAVAILABLE",
      message: expect.stringContaining("does not answer"),
    });
    const startMs = performance.now();
    await expect(store.state.read("other")).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
    expect(performance.now() - startMs).toBeLessThan(1000);
    await rename(file, join(base, "pipe"));
    await rename(join(base, "kept"), file);
    await (await open(join(base, "pipe"), "w")).close();
    await expect
      .poll(
        () =>
          store.state.read("hung").then(
            (entry) => plain(entry?.value),
            () => "away",
          ),
        { timeout: 5000 },
      )
      .toBe("v");
  });
});

describe("opening", () => {
  it("gives processes that found a farm at the same moment one and the same", async () => {
    const stores = await Promise.all(Array.from({ length: 5 }, () => openStore()));
    await stores[0]?.state.write("k", text("v"), undefined);
    for (const store of stores) expect(plain((await store.state.read("k"))?.value)).toBe("v");
    expect((await readdir(root)).sort()).toEqual(["certificates", "config", "content", "state"]);
  });

  it("names a root that is a file", async () => {
    await writeFile(root, "");
    await expect(openStore()).rejects.toMatchObject({ code: "STORE_UNAVAILABLE", message: expect.stringContaining(root) });
  });

  it("refuses calls after close", async () => {
    const store = await openStore();
    await store.close();
    await store.close();
    await expect(store.state.read("k")).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
    await expect(store.folder("config").names()).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
  });
});

describe("watching", () => {
  it("tells a write of another handle within 100 ms without a poll", async () => {
    const [watcher, writer] = [await openStore({ pollMs: 600_000 }), await openStore()];
    const changes = changesOf(watcher, "nodes");
    await nextChange(changes);
    const tookMs: number[] = [];
    let rev: Rev | undefined;
    for (let round = 0; round < 5; round += 1) {
      rev = await writer.state.write("nodes/web1", text(String(round)), rev);
      const startMs = performance.now();
      expect(await nextChange(changes)).toMatchObject({ type: "put", entry: { rev } });
      tookMs.push(performance.now() - startMs);
    }
    expect(Math.min(...tookMs)).toBeLessThan(100);
  });

  it("finds by polling what came without a word, as from another machine", async () => {
    const store = await openStore({ pollMs: 20 });
    const changes = changesOf(store, "nodes");
    await nextChange(changes);
    const header = { key: "nodes/web9", rev: newRev(1), ancestors: [], length: 1, removed: false };
    await mkdir(directoryOf("nodes/web9"), { recursive: true });
    await writeFile(join(base, "whole"), encodeVersion(header, text("v")));
    await rename(join(base, "whole"), join(directoryOf("nodes/web9"), "@1"));
    expect(await nextChange(changes)).toMatchObject({ type: "put", entry: { key: "nodes/web9" } });
  });

  it("tells a key whose directory was swept away as removed", async () => {
    const store = await openStore({ pollMs: 20 });
    await store.state.write("nodes/web1", text("v"), undefined);
    const changes = changesOf(store, "nodes");
    await nextChange(changes);
    await rm(directoryOf("nodes/web1"), { recursive: true });
    expect(await nextChange(changes)).toMatchObject({ type: "del", key: "nodes/web1" });
  });

  it("says stale and then reset when the store was damaged at the start and is mended", async () => {
    const store = await openStore({ pollMs: 20 });
    await store.state.write("nodes/web1", text("v"), undefined);
    const file = join(directoryOf("nodes/web1"), "@1");
    const whole = await readFile(file);
    await writeFile(file, "damaged ".repeat(50));
    const changes = changesOf(store, "nodes");
    expect((await changes.next()).value).toMatchObject({ type: "stale" });
    await writeFile(file, whole);
    expect((await changes.next()).value).toEqual({ type: "live" });
    expect((await changes.next()).value).toMatchObject({ type: "reset", entries: [{ key: "nodes/web1" }] });
  });
});

describe("blobs", () => {
  const blobFile = (digest: string): string => join(root, "state", "blobs", digest.slice(7, 9), digest.slice(7));
  const put = (store: FarmStore, bytes: Uint8Array): Promise<string> =>
    store.state.putBlob(
      (async function* () {
        yield bytes;
      })(),
    );
  const drain = async (store: FarmStore, digest: string): Promise<number> => {
    let length = 0;
    for await (const chunk of store.state.getBlob(digest)) length += chunk.byteLength;
    return length;
  };

  it.each([
    ["a flipped bit", async (file: string) => writeFile(file, flipped(await readFile(file)))],
    ["its end cut off", async (file: string) => truncate(file, 500_000)],
    ["nothing in it", async (file: string) => truncate(file, 0)],
  ])("with %s throw, never end short, and are healed by putting them again", async (_name, damage) => {
    const store = await openStore();
    const bytes = new Uint8Array(700_000).fill(7);
    const digest = await put(store, bytes);
    await damage(blobFile(digest));
    await expect(drain(store, digest)).rejects.toMatchObject({ code: "STORE_CORRUPT" });
    await put(store, bytes);
    expect(await drain(store, digest)).toBe(700_000);
    expect(await readdir(join(root, "state", "tmp"))).toEqual([]);
  });

  it("of 40 MB pass through in bounded memory", async () => {
    const store = await openStore();
    const chunk = new Uint8Array(1_000_000).fill(3);
    const before = process.memoryUsage().arrayBuffers;
    let peak = 0;
    const digest = await store.state.putBlob(
      (async function* () {
        for (let at = 0; at < 40; at += 1) {
          peak = Math.max(peak, process.memoryUsage().arrayBuffers);
          yield chunk;
        }
      })(),
    );
    let length = 0;
    for await (const part of store.state.getBlob(digest)) {
      length += part.byteLength;
      peak = Math.max(peak, process.memoryUsage().arrayBuffers);
    }
    expect(length).toBe(40_000_000);
    expect(peak - before).toBeLessThan(35_000_000);
  });
});

describe("word of changes", () => {
  it("lets a watch of many keys look at the changed one alone, and still sees all of a burst", async () => {
    const [watcher, writer] = [await openStore({ pollMs: 600_000 }), await openStore()];
    for (let at = 0; at < 50; at += 1) await writer.state.write(`nodes/${at}`, text("v"), undefined);
    const changes = changesOf(watcher, "nodes");
    expect(await nextChange(changes)).toMatchObject({ type: "reset", entries: expect.objectContaining({ length: 50 }) });
    // Damage that only a look at everything would find.
    await writeFile(join(directoryOf("nodes/7"), "@2"), "damaged".repeat(50));
    const wanted = new Set(Array.from({ length: 20 }, (_, at) => `nodes/new${at}`));
    await Promise.all([...wanted].map((key) => writer.state.write(key, text("v"), undefined)));
    await writer.state.write("nodesX/outside", text("v"), undefined);
    while (wanted.size > 0) {
      const change = await nextChange(changes);
      expect(change.type).toBe("put");
      if (change.type === "put") wanted.delete(change.entry.key);
    }
  });

  it.each([
    ["was cut short", async (file: string) => truncate(file, 10)],
    ["was removed", async (file: string) => rm(file)],
    ["has grown beyond its limit", async (file: string) => writeFile(file, "nodes/x\n".repeat(40_000), { flag: "a" })],
    ["names what is no key", async (file: string) => writeFile(file, "../../etc\n", { flag: "a" })],
    ["was overwritten", async (file: string) => writeFile(file, "x".repeat(500))],
  ])("that %s costs no change", async (_name, spoil) => {
    const [watcher, writer] = [await openStore({ pollMs: 600_000 }), await openStore()];
    let rev = await writer.state.write("nodes/web1", text("0"), undefined);
    const changes = changesOf(watcher, "nodes");
    await nextChange(changes);
    await spoil(join(root, "state", "notify", "nodes"));
    for (let round = 1; round < 4; round += 1) {
      rev = await writer.state.write("nodes/web1", text(String(round)), rev);
      expect(await nextChange(changes)).toMatchObject({ type: "put", entry: { rev } });
    }
  });
});
