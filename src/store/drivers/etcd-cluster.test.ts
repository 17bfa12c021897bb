import { rm } from "node:fs/promises";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";

import { silentLog, systemClock } from "../../base/index.ts";
import { openEtcdStore, type Change, type FarmStore, type Rev, type Store } from "../index.ts";
import { startEtcd, type EtcdCluster } from "../testing/etcd.ts";
import { makeTempRoot } from "../testing/temp-root.ts";

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const plain = (value: Uint8Array | undefined): string => new TextDecoder().decode(value);

let etcd: EtcdCluster;
let files: string;
let farms = 0;
let stop: AbortController;
const opened: FarmStore[] = [];

beforeAll(async () => {
  etcd = await startEtcd({ members: 3, args: ["--heartbeat-interval", "100", "--election-timeout", "1000"] });
});
afterAll(() => etcd.stop());
beforeEach(async () => {
  farms += 1;
  files = await makeTempRoot();
  stop = new AbortController();
});
afterEach(async () => {
  stop.abort();
  await Promise.all(opened.splice(0).map((store) => store.close()));
  await rm(files, { recursive: true, force: true });
});

async function open(): Promise<Store> {
  const store = await openEtcdStore({
    url: etcd.address(`cluster/farm${farms}`),
    blobs: files,
    log: silentLog,
    clock: systemClock,
    patienceMs: 5000,
  });
  opened.push(store);
  return store.state;
}

/** What a writer was told. */
interface Told {
  readonly acked: { readonly key: string; readonly rev: Rev }[];
  /** Revisions of the counter that were expected by acknowledged writes. */
  readonly used: (Rev | undefined)[];
  unknown: number;
}

/** Writes new keys and adds to a shared counter until told to stop. */
async function work(state: Store, name: string, told: Told, isOver: () => boolean): Promise<void> {
  for (let at = 0; !isOver(); at += 1) {
    try {
      const key = `log/${name}-${at}`;
      told.acked.push({ key, rev: await state.write(key, text("v"), undefined) });
      const counter = await state.read("counter");
      await state.write("counter", text(String(Number(plain(counter?.value) || "0") + 1)), counter?.rev);
      told.used.push(counter?.rev);
    } catch (error) {
      const { code } = error as { code: string };
      if (code === "STORE_UNKNOWN") told.unknown += 1;
      else if (code !== "STORE_CONFLICT" && code !== "STORE_UNAVAILABLE") throw error;
    }
  }
}

async function follow(watch: AsyncIterable<Change>, seen: Map<string, Rev>, changes: Change[]): Promise<void> {
  for await (const change of watch) {
    changes.push(change);
    // A write may be acknowledged before the watch takes its first list.
    if (change.type === "reset") for (const { key, rev } of change.entries) seen.set(key, rev);
    if (change.type === "put") seen.set(change.entry.key, change.entry.rev);
    if (change.type === "put" && change.entry.key === "log/end") return;
  }
}

it("loses no acknowledged write, accepts no version twice and shows a watch everything when the leader is killed", async () => {
  const watcher = await open();
  const writers = await Promise.all([open(), open(), open()]);
  const seen = new Map<string, Rev>();
  const changes: Change[] = [];
  const following = follow(watcher.watch("log", { signal: stop.signal }), seen, changes);
  const told: Told = { acked: [], used: [], unknown: 0 };
  let isOver = false;
  const working = writers.map((state, at) => work(state, String(at), told, () => isOver));
  const until = async (count: number): Promise<void> => {
    while (told.acked.length < count) await new Promise((resolve) => setTimeout(resolve, 20));
  };
  await until(30);
  const leader = await etcd.leader();
  await leader.kill();
  await until(told.acked.length + 30);
  await leader.start();
  await until(told.acked.length + 10);
  isOver = true;
  await Promise.all(working);
  const end = await open();
  await end.write("log/end", text("v"), undefined);
  await following;
  const there = new Map((await end.list("log")).map(({ key, rev }) => [key, rev]));
  for (const { key, rev } of told.acked) expect([there.get(key), seen.get(key)]).toEqual([rev, rev]);
  expect(seen).toEqual(there);
  expect(changes.filter(({ type }) => type === "reset")).toHaveLength(1);
  expect(new Set(told.used).size).toBe(told.used.length);
  const final = Number(plain((await end.read("counter"))?.value));
  expect(final).toBeGreaterThanOrEqual(told.used.length);
  expect(final).toBeLessThanOrEqual(told.used.length + told.unknown);
});

it("says stale within 6 s and ends every call in time without a majority, then goes on by itself", async () => {
  const state = await open();
  const rev = await state.write("k/1", text("1"), undefined);
  const watch = state.watch("k", { signal: stop.signal })[Symbol.asyncIterator]();
  expect((await watch.next()).value).toMatchObject({ type: "reset" });
  const stopped = etcd.members.slice(0, 2);
  for (const member of stopped) member.signal("SIGSTOP");
  await Promise.all(stopped.map((member) => member.hasStopped()));
  const startMs = performance.now();
  const writing = state.write("k/1", text("2"), rev).catch((error: unknown) => error);
  expect((await watch.next()).value).toMatchObject({ type: "stale" });
  expect(performance.now() - startMs).toBeLessThan(7000);
  const result = await writing;
  expect(performance.now() - startMs).toBeLessThan(16_000);
  expect(result).toMatchObject({ code: expect.stringMatching(/^STORE_(UNKNOWN|UNAVAILABLE)$/) as string });
  for (const member of stopped) member.signal("SIGCONT");
  const live = performance.now();
  // What was sent without an answer may have happened.
  while ((await watch.next()).value?.type !== "live") expect(performance.now() - live).toBeLessThan(15_000);
  await state.write("k/after", text("1"), undefined);
  for (;;) {
    const change = (await watch.next()).value;
    if (change?.type === "put" && change.entry.key === "k/after") break;
  }
});
