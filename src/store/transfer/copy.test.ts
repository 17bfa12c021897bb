import { randomBytes } from "node:crypto";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { silentLog, systemClock } from "../../base/index.ts";
import { chunks, collect, plain, text } from "../conformance/place.ts";
import { startEtcd, type EtcdCluster } from "../testing/etcd.ts";
import { makeTempRoot } from "../testing/temp-root.ts";
import type { CopyStep } from "./copy-step.ts";
import { copyStore, type CopyOptions, type CopyReport } from "./copy.ts";
import { openTransferEnd, type OpenedEnd } from "./open-end.ts";

let etcd: EtcdCluster;
let root: string;
let prefixes = 0;
let opened: OpenedEnd[];

beforeAll(async () => {
  etcd = await startEtcd();
});
afterAll(() => etcd.stop());
beforeEach(async () => {
  root = await makeTempRoot();
  opened = [];
});
afterEach(async () => {
  await Promise.all(opened.map((end) => end.close()));
  await rm(root, { recursive: true, force: true });
});

const quick = { log: silentLog, clock: systemClock, pollMs: 100 };

async function open(place: string, more: { readonly blobs?: string; readonly farm?: string } = {}): Promise<OpenedEnd> {
  const { blobs, farm } = more;
  const options = { ...quick, create: true, ...(farm === undefined ? {} : { farm }) };
  const end = await openTransferEnd({ place, ...(blobs === undefined ? {} : { blobs }) }, options);
  opened.push(end);
  return end;
}

const directory = (name: string, farm?: string): Promise<OpenedEnd> => open(join(root, name), farm === undefined ? {} : { farm });
const inEtcd = (farm?: string): Promise<OpenedEnd> => {
  prefixes += 1;
  const blobs = join(root, `blobs${prefixes}`);
  return open(etcd.address(`copy${prefixes}`), farm === undefined ? { blobs } : { blobs, farm });
};

const BLOB = Uint8Array.from(randomBytes(700_000));

/** A farm's data: keys, files, content, a blob and a key that names it. */
async function fill({ store, blobs }: OpenedEnd): Promise<string> {
  for (const [key, value] of [
    ["revisions/000001", "yaml"],
    ["nodes/web1", "report"],
    ["drains/web2", "drained"],
  ] as const)
    await store.state.write(key, text(value), undefined);
  await store.state.write("requests/web1/1", text("delete everything"), undefined);
  await store.state.write("answers/web1/1", text("done"), undefined);
  const digest = await blobs.put(chunks(BLOB));
  await store.state.write("content/shop", text(JSON.stringify({ digest })), undefined);
  await store.folder("certificates").put("www.example.com.pem", text("certificate"));
  await store.folder("config").put("farm.yaml", text("sites: []"));
  if (store.folder("content").tellsAll !== true) await store.folder("content").put("shop/index.html", text("<h1>"));
  return digest;
}

const copy = (from: OpenedEnd, to: OpenedEnd, more: Partial<CopyOptions> = {}): Promise<CopyReport> =>
  copyStore(from, to, { clock: systemClock, follow: false, until: new AbortController().signal, ...more });

function later(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((done) => (resolve = done));
  return { promise, resolve: () => resolve() };
}

const keysOf = async ({ store }: OpenedEnd): Promise<Record<string, string>> =>
  Object.fromEntries((await store.state.list("")).map(({ key, value }): [string, string] => [key, plain(value)]));

describe.each([
  ["from a directory to etcd", () => directory("from"), (farm: string) => inEtcd(farm)],
  ["from etcd to a directory", () => inEtcd(), (farm: string) => directory("to", farm)],
  ["from a directory to another", () => directory("from"), (farm: string) => directory("to", farm)],
])("a copy %s", (_name, openFrom, openTo) => {
  it("carries keys, folders and blobs over and compares them all", async () => {
    const from = await openFrom();
    const digest = await fill(from);
    const to = await openTo(await from.store.farmId());
    const report = await copy(from, to);
    expect(report).toMatchObject({ taken: [], left: [], verification: { keys: 4, blobs: 1, differing: [] }, blobs: { written: 1 } });
    expect(Buffer.compare(await collect(to.blobs.get(digest)), BLOB)).toBe(0);
    expect(plain((await to.store.folder("certificates").read("www.example.com.pem", { maxBytes: 100 }))?.bytes)).toBe("certificate");
    expect(plain((await to.store.folder("content").read("shop/index.html", { maxBytes: 100 }))?.bytes)).toBe("<h1>");
  });

  it("leaves behind what is of the moment, and lets nobody hold a lease there, with a fence that goes on", async () => {
    const from = await openFrom();
    await fill(from);
    const stop = new AbortController();
    for (let turn = 0; turn < 3; turn += 1) await (await from.store.state.lease("duties", 5000, { signal: stop.signal }))?.release();
    const held = await from.store.state.lease("duties", 5000, { signal: stop.signal });
    expect(held?.fence).toBe(4n);
    const to = await openTo(await from.store.farmId());
    await copy(from, to);
    expect(Object.keys(await keysOf(to)).toSorted()).toEqual([
      "content/shop",
      "drains/web2",
      "leases/duties",
      "nodes/web1",
      "revisions/000001",
    ]);
    expect((await to.store.state.lease("duties", 5000, { signal: stop.signal }))?.fence).toBe(5n);
  });

  it("follows the farm until it is told to end, blobs before the keys that name them", async () => {
    const from = await openFrom();
    await fill(from);
    const to = await openTo(await from.store.farmId());
    const ending = new AbortController();
    const level = later();
    const running = copy(from, to, { follow: true, until: ending.signal, onStep: ({ step }) => step === "level" && level.resolve() });
    await level.promise;
    const bytes = Uint8Array.from(randomBytes(90_000));
    const digest = await from.blobs.put(chunks(bytes));
    await from.store.state.write("content/blog", text(JSON.stringify({ digest })), undefined);
    for await (const change of to.store.state.watch("content", { signal: AbortSignal.timeout(20_000) })) {
      const arrived = change.type === "reset" ? change.entries : change.type === "put" ? [change.entry] : [];
      if (!arrived.some(({ key }) => key === "content/blog")) continue;
      expect(await collect(to.blobs.get(digest))).toHaveLength(90_000);
      break;
    }
    await from.store.folder("certificates").put("new.example.com.pem", text("newer"));
    const drained = await from.store.state.read("drains/web2");
    if (drained !== undefined) await from.store.state.remove("drains/web2", drained.rev);
    ending.abort();
    const report = await running;
    expect(report.verification.differing).toEqual([]);
    expect(await keysOf(to)).toMatchObject({ "content/blog": JSON.stringify({ digest }) });
    expect(Object.keys(await keysOf(to))).not.toContain("drains/web2");
    expect(await to.store.folder("certificates").names()).toContain("new.example.com.pem");
  });
});

describe("a copy", () => {
  it("that was interrupted is run again, and removes what is gone since", async () => {
    const from = await directory("from");
    await fill(from);
    const to = await inEtcd(await from.store.farmId());
    await to.store.state.write("revisions/000001", text("half of an earlier copy"), undefined);
    await to.store.state.write("drains/web9", text("gone since"), undefined);
    await to.store.folder("certificates").put("gone.pem", text("gone since"));
    await to.store.folder("certificates").put("www.example.com.pem", text("an older one"));
    expect((await copy(from, to)).verification.differing).toEqual([]);
    expect(await keysOf(to)).toMatchObject({ "revisions/000001": "yaml" });
    expect(await keysOf(to)).not.toHaveProperty(["drains/web9"]);
    expect(await to.store.folder("certificates").names()).toEqual(["www.example.com.pem"]);
    expect((await copy(from, to)).keys).toEqual({ written: 0, removed: 0 });
  });

  it("does not write over what a process that was switched over has changed", async () => {
    const from = await directory("from");
    await fill(from);
    const to = await inEtcd(await from.store.farmId());
    const ending = new AbortController();
    const level = later();
    const running = copy(from, to, { follow: true, until: ending.signal, onStep: ({ step }) => step === "level" && level.resolve() });
    await level.promise;
    const report = await to.store.state.read("nodes/web1");
    await to.store.state.write("nodes/web1", text("from the new store"), report?.rev);
    await to.store.folder("config").put("farm.yaml", text("sites: [new]"));
    const old = await from.store.state.read("nodes/web1");
    await from.store.state.write("nodes/web1", text("a last word in the old store"), old?.rev);
    await from.store.folder("config").put("farm.yaml", text("sites: [old]"));
    ending.abort();
    const outcome = await running;
    expect(outcome.taken.toSorted()).toEqual(["config/farm.yaml", "state/nodes/web1"]);
    expect(await keysOf(to)).toMatchObject({ "nodes/web1": "from the new store" });
    expect(plain((await to.store.folder("config").read("farm.yaml", { maxBytes: 100 }))?.bytes)).toBe("sites: [new]");
  });

  it("is refused where processes work already", async () => {
    const from = await directory("from");
    await fill(from);
    const to = await inEtcd(await from.store.farmId());
    await copy(from, to);
    await to.store.state.lease("duties", 5000, { signal: new AbortController().signal });
    await expect(copy(from, to)).rejects.toMatchObject({ code: "STORE_IN_USE", message: expect.stringContaining("leases/duties") });
  });

  it("is refused where another farm is", async () => {
    const from = await directory("from");
    await expect(copy(from, await directory("to"))).rejects.toMatchObject({ code: "STORE_OF_ANOTHER_FARM" });
    const farm = await from.store.farmId();
    await expect(directory("to", farm)).rejects.toMatchObject({ code: "STORE_OF_ANOTHER_FARM" });
  });

  it("of a store to itself, by two addresses, is refused and leaves no trace", async () => {
    const from = await directory("from");
    await expect(copy(from, await directory("./x/../from"))).rejects.toMatchObject({ code: "USAGE" });
    expect(await keysOf(from)).toEqual({});
  });

  it("leaves out what the other store does not take, and names it", async () => {
    const from = await directory("from");
    await fill(from);
    const to = { ...(await inEtcd(await from.store.farmId())), takes: (name: string) => name !== "certificates/www.example.com.pem" };
    const report = await copy(from, to);
    expect(report.left).toEqual([{ name: "certificates/www.example.com.pem", because: "not-sealed" }]);
    expect(report.verification.differing).toEqual([]);
    expect(await to.store.folder("certificates").names()).toEqual([]);
  });

  it("tells a blob that is damaged where it comes from", async () => {
    const from = await directory("from");
    const digest = await fill(from);
    const hex = digest.slice("sha256:".length);
    await mkdir(join(root, "from/state/blobs", hex.slice(0, 2)), { recursive: true });
    await writeFile(join(root, "from/state/blobs", hex.slice(0, 2), hex), "damaged");
    const to = await inEtcd(await from.store.farmId());
    await expect(copy(from, to)).rejects.toMatchObject({ code: "STORE_CORRUPT", message: expect.stringContaining(hex) });
    expect(await to.blobs.has(digest)).toBe(false);
  });

  it("that is cancelled before both are level says so", async () => {
    const from = await directory("from");
    const to = await directory("to", await from.store.farmId());
    await expect(copy(from, to, { until: AbortSignal.abort() })).rejects.toMatchObject({ code: "CANCELLED" });
  });

  it("tells its steps", async () => {
    const from = await directory("from");
    const steps: CopyStep["step"][] = [];
    await copy(from, await directory("to", await from.store.farmId()), { onStep: ({ step }) => steps.push(step) });
    expect(new Set(steps)).toEqual(new Set(["blobs", "keys", "folder", "verify", "level"]));
  });
});
