import { once } from "node:events";
import { readdir, rm, writeFile } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { silentLog, systemClock } from "../../base/index.ts";
import { openStore } from "../open-store.ts";
import { startEtcd, type EtcdCluster } from "../testing/etcd.ts";
import { makeTempRoot } from "../testing/temp-root.ts";
import { checkStore } from "./check-store.ts";
import type { StoreCheck } from "./types.ts";

let etcd: EtcdCluster;
let root: string;

beforeAll(async () => {
  etcd = await startEtcd({ members: 3 });
});
afterAll(() => etcd.stop());
beforeEach(async () => {
  root = await makeTempRoot();
});
afterEach(() => rm(root, { recursive: true, force: true }));

const options = { log: silentLog, clock: systemClock, signal: new AbortController().signal };

/** A busy machine is slow; nothing may be wrong. */
const STEPS = [
  "open",
  "write 10 KiB",
  "read it through another handle",
  "refuse a write over an older version",
  "list",
  "watch",
  "lease",
  "remove",
  "a file in a folder",
  "a blob of 1 MiB",
];
const wrongIn = ({ steps, facts }: StoreCheck): readonly string[] =>
  [...steps, ...facts].filter(({ outcome }) => outcome === "wrong").map(({ name }) => name);

describe("a check of a store", () => {
  it("in a directory tries every step, tells what kind of place it is, and leaves no trace", async () => {
    const check = await checkStore({ place: root }, options);
    expect(check.steps.map(({ name }) => name)).toEqual(STEPS);
    expect(wrongIn(check)).toEqual([]);
    expect(check.facts.map(({ name }) => name)).toEqual(["farm", "file system", "space", "rename", "hard links", "flush", "events"]);
    expect(check.farm).toBeUndefined();
    expect(await readdir(root)).toEqual([]);
  });

  it("names the farm that is there, and touches nothing of it", async () => {
    const store = await openStore({ place: root }, { ...options, create: true });
    const farm = await store.farmId();
    await store.close();
    const before = (await readdir(root, { recursive: true })).toSorted();
    expect(await checkStore({ place: root }, options)).toMatchObject({ farm });
    expect((await readdir(root, { recursive: true })).toSorted()).toEqual(before);
  });

  it("in etcd asks each member as well, and leaves no key", async () => {
    const check = await checkStore({ place: etcd.address("checked"), blobs: join(root, "blobs") }, options);
    expect(check.steps.map(({ name }) => name)).toEqual(STEPS);
    expect(wrongIn(check)).toEqual([]);
    const members = check.facts.filter(({ name }) => name.startsWith("127.0.0.1:"));
    expect(members).toHaveLength(3);
    for (const { text } of members)
      expect(text).toMatch(/^etcd 3\.\d+\.\d+.*; .* MB on disk, .* % of the quota of 2147\.5 MB\); answers in \d+ ms/);
    expect(members.filter(({ text }) => text.includes(", leads"))).toHaveLength(1);
    expect(check.facts.find(({ name }) => name === "alarms")).toMatchObject({ outcome: "ok", text: "none" });
    const left = await etcd.call("/v3/kv/range", { key: "AA==", range_end: "AA==", count_only: true });
    expect(left["count"]).toBeUndefined();
    expect(await readdir(join(root, "blobs"))).toEqual([]);
  });

  it("without a place for blobs says so", async () => {
    const check = await checkStore({ place: etcd.address("checked") }, options);
    expect(check.steps.at(-1)).toMatchObject({ outcome: "ok", note: expect.stringContaining("--blobs") });
  });

  it("names the member that does not answer, and works with the others", async () => {
    const [first] = etcd.members;
    await first?.kill();
    try {
      const check = await checkStore({ place: etcd.address("checked") }, options);
      expect(check).toMatchObject({ outcome: "wrong" });
      expect(wrongIn(check)).toEqual([`127.0.0.1:${first?.port}`]);
    } finally {
      await first?.start();
    }
  });

  it("tells an alarm", async () => {
    const leader = await etcd.leader();
    const status = await etcd.call("/v3/maintenance/status", {}, leader);
    const { member_id } = status["header"] as { member_id: string }; // etcd's own form
    const alarm = { memberID: member_id, alarm: "NOSPACE" };
    await etcd.call("/v3/maintenance/alarm", { action: "ACTIVATE", ...alarm });
    try {
      const check = await checkStore({ place: etcd.address("checked") }, options);
      expect(check.outcome).toBe("wrong");
      expect(check.steps[0]).toMatchObject({ name: "open", error: { code: "STORE_FULL" } });
      expect(check.facts.find(({ name }) => name === "alarms")).toMatchObject({ outcome: "wrong", text: "NOSPACE" });
    } finally {
      await etcd.call("/v3/maintenance/alarm", { action: "DEACTIVATE", ...alarm });
    }
  });

  it("of etcd that is not there tells each member", async () => {
    const free = createServer().listen(0, "127.0.0.1");
    await once(free, "listening");
    const { port } = free.address() as AddressInfo; // a TCP server has one
    free.close();
    const check = await checkStore({ place: `etcd://127.0.0.1:${port}/farm` }, options);
    expect(check.steps).toMatchObject([{ name: "open", outcome: "wrong", error: { code: "STORE_UNAVAILABLE" } }]);
    expect(check.facts.find(({ name }) => name === "cluster")).toMatchObject({ outcome: "wrong", text: "no member answers" });
  }, 30_000);

  it("of a folder that is not there says so, and does not make it", async () => {
    await expect(checkStore({ place: join(root, "none") }, options)).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
    expect(await readdir(root)).toEqual([]);
  });

  it("of a file says so", async () => {
    await writeFile(join(root, "file"), "");
    await expect(checkStore({ place: join(root, "file") }, options)).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
  });

  it("of a store that a newer certfarm wrote says so", async () => {
    const store = await openStore({ place: etcd.address("newer") }, { ...options, create: true });
    await store.close();
    const key = Buffer.from("newer/meta/farm").toString("base64");
    await etcd.call("/v3/kv/put", { key, value: Buffer.from(JSON.stringify({ format: 99, farm: "x" })).toString("base64") });
    const check = await checkStore({ place: etcd.address("newer") }, options);
    expect(check.facts[0]).toMatchObject({ name: "farm", outcome: "wrong", text: expect.stringContaining("form 99") });
  });
});
