import { createHash, randomBytes } from "node:crypto";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { instant, systemClock, type Clock } from "../base/index.ts";
import type { Change, Entry, FarmStore, Lease, Rev, Store } from "./contract.ts";
import { selfTestStore } from "./self-test.ts";

/** One fresh place where stores meet. */
export interface ConformanceBacking {
  /** A handle of its own on the same place, as another process would have. The suite closes it. */
  open(clock?: Clock): Promise<FarmStore>;
  /** Puts keys there by the shortest way; the suite writes them one by one without it. */
  fill?(keys: readonly string[], value: Uint8Array): Promise<void>;
  /** How many keys are many; 10,000 unless told. */
  readonly manyKeys?: number;
  remove(): Promise<void>;
}

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const plain = (value: Uint8Array | undefined): string => new TextDecoder().decode(value);
const sha256 = (value: Uint8Array): string => createHash("sha256").update(value).digest("hex");

async function* chunks(bytes: Uint8Array, size = 50_000): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += size) yield bytes.subarray(at, at + size);
}

async function collect(source: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const part of source) parts.push(part);
  return Uint8Array.from(Buffer.concat(parts));
}

/** Resolves when a watch's state satisfies a condition; keeps the state as a consumer would. */
async function follow(watch: AsyncIterable<Change>, isDone: (state: ReadonlyMap<string, string>) => boolean): Promise<readonly Change[]> {
  const state = new Map<string, string>();
  const seen: Change[] = [];
  for await (const change of watch) {
    seen.push(change);
    if (change.type === "reset") state.clear();
    if (change.type === "reset") for (const { key, value } of change.entries) state.set(key, plain(value));
    if (change.type === "put") state.set(change.entry.key, plain(change.entry.value));
    if (change.type === "del") state.delete(change.key);
    if (isDone(state)) break;
  }
  return seen;
}

const skewed = (ms: number): Clock => ({
  now: () => instant(systemClock.now() + ms),
  monotonicMs: () => systemClock.monotonicMs() + ms,
});

/** Adds one by compare-and-set until it is acknowledged; resolves to the rev that was expected. */
async function increment(state: Store, key: string): Promise<Rev | undefined> {
  for (;;) {
    const entry = await state.read(key);
    try {
      await state.write(key, text(String(Number(plain(entry?.value) || "0") + 1)), entry?.rev);
      return entry?.rev;
    } catch (error) {
      expect(error).toMatchObject({ code: "STORE_CONFLICT" });
    }
  }
}

/** What every driver of the store must do, whatever is behind it. */
export function storeConformance(name: string, makeBacking: () => Promise<ConformanceBacking>): void {
  describe(`${name} keeps the store's contract`, () => {
    let backing: ConformanceBacking;
    let opened: FarmStore[];
    let stop: AbortController;

    const open = async (clock?: Clock): Promise<FarmStore> => {
      const store = await backing.open(clock);
      opened.push(store);
      return store;
    };
    const openMany = (count: number): Promise<FarmStore[]> => Promise.all(Array.from({ length: count }, () => open()));

    beforeEach(async () => {
      opened = [];
      stop = new AbortController();
      backing = await makeBacking();
    });
    afterEach(async () => {
      stop.abort();
      await Promise.all(opened.map((store) => store.close()));
      await backing.remove();
    });

    describe("keys and values", () => {
      const KEYS = [
        "plain",
        "nodes/web1",
        "nodes/web1/report",
        "certificates/*.example.com",
        "Mixed/Case",
        "mixed/case",
        "MIXED/CASE",
        "bücher/straße/日本語/😀",
        "bu\u0308cher/decomposed",
        "CON",
        "con",
        "con.txt",
        "lpt1/nul",
        "dots./.hidden/a..b/...",
        "space here/ lead/trail ",
        "percent%41/a%2fb",
        'quotes"<>|?*:\\',
        "@1/@2",
        "x".repeat(200),
        "X".repeat(200),
        `${"long".repeat(49)}/${"ü".repeat(200)}`,
        Array.from({ length: 32 }, (_, at) => `part${at}`).join("/"),
        Array.from({ length: 32 }, () => "ÿ".repeat(200)).join("/"),
      ];

      it("keeps every key it takes apart from all others", async () => {
        const { state } = await open();
        for (const key of KEYS) await state.write(key, text(key), undefined);
        const { state: other } = await open();
        for (const key of KEYS) expect(plain((await other.read(key))?.value)).toBe(key);
        const listed = await other.list("");
        expect(listed.map((entry) => entry.key).sort()).toEqual([...KEYS].sort());
        expect(listed.every((entry) => plain(entry.value) === entry.key)).toBe(true);
      });

      it.each([
        ["an empty key", ""],
        ["an empty part", "a//b"],
        ["a slash at the start", "/a"],
        ["a slash at the end", "a/"],
        ["a part that means the same directory", "a/./b"],
        ["a part that means the directory above", "../a"],
        ["a NUL", "a\0b"],
        ["a newline", "a\nb"],
        ["half a surrogate pair", "a\ud800"],
        ["a part of 201 characters", "x".repeat(201)],
        ["33 parts", Array.from({ length: 33 }, () => "p").join("/")],
      ])("refuses %s", async (_name, key) => {
        const { state } = await open();
        const refusal = { code: "STORE_KEY_INVALID" };
        await expect(state.read(key)).rejects.toMatchObject(refusal);
        await expect(state.write(key, text(""), undefined)).rejects.toMatchObject(refusal);
        await expect(state.remove(key, "x" as Rev)).rejects.toMatchObject(refusal); // refused before the rev matters
        if (key !== "") await expect(state.list(key)).rejects.toMatchObject(refusal);
      });

      it("lists below a prefix by whole parts and not the prefix itself", async () => {
        const { state } = await open();
        for (const key of ["a", "a/b", "a/c/d", "ab", "b/a"]) await state.write(key, text("v"), undefined);
        expect((await state.list("a")).map((entry) => entry.key).sort()).toEqual(["a/b", "a/c/d"]);
        expect(await state.list("a/b")).toEqual([]);
        expect(await state.list("nothing")).toEqual([]);
      });

      it("takes values of 0 octets and of 512 KiB, and refuses one octet more", async () => {
        const { state } = await open();
        const largest = Uint8Array.from(randomBytes(512 * 1024));
        await state.write("empty", new Uint8Array(), undefined);
        await state.write("large", largest, undefined);
        expect((await state.read("empty"))?.value.byteLength).toBe(0);
        expect(sha256((await state.read("large"))?.value ?? new Uint8Array())).toBe(sha256(largest));
        const tooLarge = state.write("larger", new Uint8Array(512 * 1024 + 1), undefined);
        await expect(tooLarge).rejects.toMatchObject({ code: "STORE_VALUE_TOO_LARGE" });
        expect(await state.read("larger")).toBeUndefined();
      });

      it("keeps what was written when the caller changes its buffer afterwards", async () => {
        const { state } = await open();
        const value = text("before");
        await state.write("k", value, undefined);
        value.fill(0);
        (await state.read("k"))?.value.fill(1);
        expect(plain((await state.read("k"))?.value)).toBe("before");
      });
    });

    describe("compare-and-set", () => {
      it("loses no increment of several handles and accepts no expectation twice", async () => {
        const stores = await openMany(4);
        const each = async ({ state }: FarmStore): Promise<(Rev | undefined)[]> => {
          const used: (Rev | undefined)[] = [];
          for (let round = 0; round < 25; round += 1) used.push(await increment(state, "counter"));
          return used;
        };
        const used = (await Promise.all(stores.map(each))).flat();
        expect(plain((await stores[0]?.state.read("counter"))?.value)).toBe("100");
        expect(new Set(used).size).toBe(100);
      });

      it("lets exactly one of six contenders create a key", async () => {
        const stores = await openMany(6);
        for (let round = 0; round < 20; round += 1) {
          const tries = stores.map(({ state }, at) => state.write(`round/${round}`, text(String(at)), undefined));
          const results = await Promise.allSettled(tries);
          expect(results.filter((result) => result.status === "fulfilled")).toHaveLength(1);
          for (const result of results) if (result.status === "rejected") expect(result.reason).toMatchObject({ code: "STORE_CONFLICT" });
          const winner = results.findIndex((result) => result.status === "fulfilled");
          expect(plain((await stores[0]?.state.read(`round/${round}`))?.value)).toBe(String(winner));
        }
      });

      it("refuses a stale expectation and changes nothing", async () => {
        const { state } = await open();
        const first = await state.write("k", text("1"), undefined);
        const second = await state.write("k", text("2"), first);
        const conflict = { code: "STORE_CONFLICT" };
        await expect(state.write("k", text("3"), first)).rejects.toMatchObject(conflict);
        await expect(state.write("k", text("3"), undefined)).rejects.toMatchObject(conflict);
        await expect(state.remove("k", first)).rejects.toMatchObject(conflict);
        await expect(state.write("absent", text("3"), first)).rejects.toMatchObject(conflict);
        await expect(state.remove("absent", first)).rejects.toMatchObject(conflict);
        expect(await state.read("k")).toEqual({ key: "k", value: text("2"), rev: second });
      });

      it("never gives a removed and recreated key a rev it had before", async () => {
        const { state } = await open();
        const revs = new Set<Rev>();
        for (let round = 0; round < 5; round += 1) {
          const rev = await state.write("k", text("same"), undefined);
          for (const old of revs) await expect(state.write("k", text("aba"), old)).rejects.toMatchObject({ code: "STORE_CONFLICT" });
          expect(revs.has(rev)).toBe(false);
          revs.add(rev);
          await state.remove("k", rev);
          expect(await state.read("k")).toBeUndefined();
          expect(await state.list("")).toEqual([]);
        }
      });

      it("shows every write to another handle at once", async () => {
        const [one, two] = await openMany(2);
        let rev: Rev | undefined;
        for (let round = 0; round < 100; round += 1) {
          rev = await one?.state.write("k", text(String(round)), rev);
          expect(plain((await two?.state.read("k"))?.value)).toBe(String(round));
        }
      });

      it("never shows half a value while it is rewritten", async () => {
        const [writer, ...readers] = await openMany(5);
        const progress = { isDone: false };
        let reads = 0;
        const whole = (value: Uint8Array): string => sha256(value.subarray(32));
        const make = (): Uint8Array => {
          const body = randomBytes(100 * 1024);
          return Uint8Array.from(Buffer.concat([createHash("sha256").update(body).digest(), body]));
        };
        let rev = await writer?.state.write("k", make(), undefined);
        const read = async ({ state }: FarmStore): Promise<void> => {
          while (!progress.isDone) {
            const value = (await state.read("k"))?.value ?? new Uint8Array();
            expect(Buffer.from(value.subarray(0, 32)).toString("hex")).toBe(whole(value));
            reads += 1;
            await new Promise(setImmediate);
          }
        };
        const reading = readers.map(read);
        for (let round = 0; round < 40; round += 1) {
          rev = await writer?.state.write("k", make(), rev);
          await new Promise(setImmediate);
        }
        progress.isDone = true;
        await Promise.all(reading);
        expect(reads).toBeGreaterThan(20);
      });
    });

    describe("listing", () => {
      it("gives ten thousand keys, each once, for less than 5 s of processor time", async () => {
        const { state } = await open();
        const many = backing.manyKeys ?? 10_000;
        const keys = Array.from({ length: many }, (_, at) => `many/${at % 10}/${at}`);
        if (backing.fill === undefined) for (const key of keys) await state.write(key, text("v"), undefined);
        else await backing.fill(keys, text("v"));
        const before = process.cpuUsage();
        const listed = await state.list("many");
        const used = process.cpuUsage(before);
        expect((used.user + used.system) / 1000).toBeLessThan(5000);
        expect(listed).toHaveLength(many);
        expect(new Set(listed.map((entry) => entry.key)).size).toBe(many);
      });

      it("never leaves out a key that is there throughout", async () => {
        const [one, two] = await openMany(2);
        const revs = new Map<string, Rev | undefined>();
        for (let at = 0; at < 20; at += 1) revs.set(`k/${at}`, await one?.state.write(`k/${at}`, text("0"), undefined));
        const progress = { isDone: false };
        const writing = (async () => {
          for (let round = 0; round < 80; round += 1) {
            const key = `k/${round % 20}`;
            revs.set(key, await one?.state.write(key, text(String(round)), revs.get(key)));
          }
          progress.isDone = true;
        })();
        while (!progress.isDone) expect((await two?.state.list("k"))?.map((entry) => entry.key).sort()).toEqual([...revs.keys()].sort());
        await writing;
      });
    });

    describe("watching", () => {
      it("brings four watchers to the last state of every key and never backwards", async () => {
        const stores = await openMany(5);
        const [writer, ...watchers] = stores;
        const last = new Map<string, string>();
        const isLast = (state: ReadonlyMap<string, string>): boolean =>
          last.has("w/done") && state.size === last.size && [...last].every(([key, value]) => state.get(key) === value);
        const following = watchers.map(({ state }) => follow(state.watch("w", { signal: stop.signal }), isLast));
        const revs = new Map<string, Rev | undefined>();
        for (let round = 0; round < 120; round += 1) {
          const key = `w/${round % 12}`;
          const rev = revs.get(key);
          const isRemoval = round % 7 === 6 && rev !== undefined;
          if (isRemoval) await writer?.state.remove(key, rev);
          else revs.set(key, await writer?.state.write(key, text(String(round)), rev));
          if (isRemoval) revs.delete(key);
          if (isRemoval) last.delete(key);
          else last.set(key, String(round));
        }
        await writer?.state.write("w/done", text("done"), undefined);
        last.set("w/done", "done");
        // Noted first: a watcher may hear of a write before its writer does.
        last.set("w/after", "wakes those that were already there");
        await writer?.state.write("w/after", text("wakes those that were already there"), undefined);
        for (const seen of await Promise.all(following)) {
          expect(seen[0]?.type).toBe("reset");
          const newest = new Map<string, number>();
          for (const change of seen) {
            if (change.type !== "put" || !/^w\/\d/.test(change.entry.key)) continue;
            const value = Number(plain(change.entry.value));
            expect(value).toBeGreaterThan(newest.get(change.entry.key) ?? -1);
            newest.set(change.entry.key, value);
          }
        }
      });

      it("begins with everything below the prefix and tells nothing from outside it", async () => {
        const { state } = await open();
        await state.write("a/1", text("1"), undefined);
        await state.write("b/1", text("1"), undefined);
        const following = follow(state.watch("a", { signal: stop.signal }), (now) => now.has("a/2"));
        await state.write("b/2", text("2"), undefined);
        await state.write("a/2", text("2"), undefined);
        const keys = (await following).flatMap((change) =>
          change.type === "reset" ? change.entries.map((entry) => entry.key) : change.type === "put" ? [change.entry.key] : [],
        );
        expect(new Set(keys)).toEqual(new Set(["a/1", "a/2"]));
      });

      it.each([
        ["the last cursor", (cursor: string) => cursor],
        ["a cursor that means nothing", () => "no such cursor"],
      ])("goes on from %s without missing a change or a removal", async (_name, pick) => {
        const store = await open();
        const kept = await store.state.write("a/kept", text("1"), undefined);
        const gone = await store.state.write("a/gone", text("1"), undefined);
        const state = new Map([
          ["a/kept", "1"],
          ["a/gone", "1"],
        ]);
        const [reset] = await follow(store.state.watch("a", { signal: stop.signal }), () => true);
        await store.state.remove("a/gone", gone);
        await store.state.write("a/kept", text("2"), kept);
        await store.state.write("a/new", text("1"), undefined);
        const cursor = pick(reset?.type === "reset" ? reset.cursor : "");
        for await (const change of store.state.watch("a", { cursor, signal: stop.signal })) {
          if (change.type === "reset") state.clear();
          if (change.type === "reset") for (const entry of change.entries) state.set(entry.key, plain(entry.value));
          if (change.type === "put") state.set(change.entry.key, plain(change.entry.value));
          if (change.type === "del") state.delete(change.key);
          if (state.size === 2 && state.get("a/new") === "1" && state.get("a/kept") === "2") break;
        }
        expect([...state.keys()].sort()).toEqual(["a/kept", "a/new"]);
      });

      it("ends when its signal aborts", async () => {
        const { state } = await open();
        const ending = new AbortController();
        const watch = state.watch("", { signal: ending.signal })[Symbol.asyncIterator]();
        await watch.next();
        const next = watch.next();
        ending.abort();
        expect((await next).done).toBe(true);
      });
    });

    describe("leases", () => {
      const leaseOf = async (store: FarmStore, ttlMs: number, wait = false): Promise<Lease | undefined> =>
        store.state.lease("rollout", ttlMs, { signal: stop.signal, wait });
      const require = (lease: Lease | undefined): Lease => {
        if (lease === undefined) throw new Error("there is no lease");
        return lease;
      };
      /** Leaves a claim behind whose holder is dead. */
      const leaveDeadClaim = async (store: FarmStore, ttlMs: number): Promise<Lease> => {
        const lease = require(await leaseOf(store, ttlMs));
        const held = await store.state.read("leases/rollout");
        await lease.release();
        const released = await store.state.read("leases/rollout");
        await store.state.write("leases/rollout", held?.value ?? new Uint8Array(), released?.rev);
        return lease;
      };

      it("never has two holders, whatever their clocks show", async () => {
        const stores = await Promise.all([0, 3_600_000, -3_600_000].map((ms) => open(skewed(ms))));
        const fences: bigint[] = [];
        let holders = 0;
        const work = async (store: FarmStore): Promise<void> => {
          for (let round = 0; round < 4; round += 1) {
            const lease = require(await leaseOf(store, 400, true));
            holders += 1;
            expect(holders).toBe(1);
            expect(lease.lost.aborted).toBe(false);
            fences.push(lease.fence);
            await store.state.read("leases/rollout");
            expect(holders).toBe(1);
            holders -= 1;
            await lease.release();
          }
        };
        await Promise.all(stores.map(work));
        expect(fences).toHaveLength(12);
        expect(fences.every((fence, at) => at === 0 || fence > (fences[at - 1] ?? 0n))).toBe(true);
      });

      it("is kept by a living holder for many times its ttl", async () => {
        const [holder, other] = await openMany(2);
        if (holder === undefined || other === undefined) throw new Error("two handles were opened");
        const lease = require(await leaseOf(holder, 300));
        const untilMs = performance.now() + 1200;
        while (performance.now() < untilMs) {
          expect(await leaseOf(other, 300)).toBeUndefined();
          expect(lease.lost.aborted).toBe(false);
          await new Promise((resolve) => setTimeout(resolve, 40));
        }
        await lease.release();
        expect(require(await leaseOf(other, 300)).fence).toBeGreaterThan(lease.fence);
      });

      it("goes to another when its holder died, not before the ttl is over", async () => {
        const [holder, other] = await openMany(2);
        if (holder === undefined || other === undefined) throw new Error("two handles were opened");
        const dead = await leaveDeadClaim(holder, 300);
        const startMs = performance.now();
        const lease = require(await leaseOf(other, 300, true));
        expect(performance.now() - startMs).toBeGreaterThanOrEqual(300);
        expect(lease.fence).toBeGreaterThan(dead.fence);
      });

      it("tells a holder that somebody took it over, and its release does not end the successor's", async () => {
        const [holder, other] = await openMany(2);
        if (holder === undefined || other === undefined) throw new Error("two handles were opened");
        const lease = require(await leaseOf(holder, 300));
        const lost = new Promise((resolve) => lease.lost.addEventListener("abort", resolve));
        const claim = await other.state.read("leases/rollout");
        const successor = text(JSON.stringify({ owner: "successor", ttlMs: 60_000, fence: "99", counter: 0 }));
        const rev = await other.state.write("leases/rollout", successor, claim?.rev);
        await lost;
        await lease.release();
        expect((await other.state.read("leases/rollout"))?.rev).toBe(rev);
        expect(await leaseOf(other, 300)).toBeUndefined();
      });

      it("is lost before the next write of a holder that slept past its ttl", async () => {
        let sleptMs = 0;
        const store = await open({ now: () => systemClock.now(), monotonicMs: () => systemClock.monotonicMs() + sleptMs });
        const { lost } = require(await leaseOf(store, 60_000));
        await store.state.write("work/1", text("1"), undefined);
        expect(lost.aborted).toBe(false);
        sleptMs = 60_001;
        await store.state.write("work/2", text("2"), undefined);
        expect(lost.aborted).toBe(true);
      });

      it("is given back when the store closes", async () => {
        const [holder, other] = await openMany(2);
        if (holder === undefined || other === undefined) throw new Error("two handles were opened");
        const { lost } = require(await leaseOf(holder, 60_000));
        await holder.close();
        expect(lost.aborted).toBe(true);
        expect(await leaseOf(other, 300)).toBeDefined();
      });

      it("stops waiting when told to", async () => {
        const [holder, other] = await openMany(2);
        await holder?.state.lease("rollout", 60_000, { signal: stop.signal });
        const waiting = other?.state.lease("rollout", 60_000, { signal: AbortSignal.timeout(30), wait: true });
        await expect(waiting).rejects.toMatchObject({ code: "CANCELLED" });
      });
    });

    describe("blobs", () => {
      it.each([
        ["0 octets", 0],
        ["1 octet", 1],
        ["exactly one chunk", 256 * 1024],
        ["3 MB", 3_000_000],
      ])("gives back %s unchanged", async (_name, size) => {
        const [one, two] = await openMany(2);
        const bytes = Uint8Array.from(randomBytes(size));
        const digest = await one?.state.putBlob(chunks(bytes));
        expect(digest).toBe(`sha256:${sha256(bytes)}`);
        const found = await collect(two?.state.getBlob(digest ?? "") ?? chunks(bytes));
        expect(Buffer.compare(found, bytes)).toBe(0);
      });

      it("takes the same blob from two writers at once, and again", async () => {
        const stores = await openMany(2);
        const bytes = Uint8Array.from(randomBytes(300_000));
        const digests = await Promise.all([...stores, ...stores].map(({ state }) => state.putBlob(chunks(bytes, 7000))));
        expect(new Set(digests).size).toBe(1);
        expect(await collect(stores[0]?.state.getBlob(digests[0] ?? "") ?? chunks(bytes))).toHaveLength(300_000);
      });

      it("keeps nothing of a source that fails", async () => {
        const { state } = await open();
        const bytes = Uint8Array.from(randomBytes(1000));
        async function* failing(): AsyncGenerator<Uint8Array> {
          yield bytes;
          throw new Error("the source broke");
        }
        await expect(state.putBlob(failing())).rejects.toThrow("the source broke");
        await expect(collect(state.getBlob(`sha256:${sha256(bytes)}`))).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
      });

      it.each(["", "sha256:", "sha256:../../../etc/passwd", `md5:${"0".repeat(64)}`, `sha256:${"A".repeat(64)}`])(
        "refuses %j as a digest",
        async (digest) => {
          const { state } = await open();
          await expect(collect(state.getBlob(digest))).rejects.toMatchObject({ code: "STORE_KEY_INVALID" });
        },
      );

      it("stops reading when told to", async () => {
        const { state } = await open();
        const digest = await state.putBlob(chunks(Uint8Array.from(randomBytes(1_000_000))));
        await expect(collect(state.getBlob(digest, { signal: AbortSignal.abort() }))).rejects.toMatchObject({ code: "CANCELLED" });
      });
    });

    describe("folders", () => {
      it("shows a file that was put to another handle, whole and with its stat", async () => {
        const [one, two] = await openMany(2);
        const put = await one?.folder("certificates").put("www.example.com.pfx", text("pfx"));
        const folder = two?.folder("certificates");
        expect(await folder?.names()).toEqual(["www.example.com.pfx"]);
        expect(put).toMatchObject({ path: "www.example.com.pfx", size: 3 });
        expect(await folder?.stat("www.example.com.pfx")).toEqual(put);
        expect(await folder?.read("www.example.com.pfx", { maxBytes: 3 })).toEqual({ bytes: text("pfx"), stat: put });
      });

      it("gives a replaced file another stamp, of the same size too", async () => {
        const folder = (await open()).folder("config");
        const stamps = new Set<string>();
        for (let round = 0; round < 5; round += 1) stamps.add((await folder.put("farm.yaml", text(`v${round}`))).stamp);
        expect(stamps.size).toBe(5);
        expect(plain((await folder.read("farm.yaml", { maxBytes: 100 }))?.bytes)).toBe("v4");
      });

      it("lists names of the top level only and walks every depth", async () => {
        const folder = (await open()).folder("content");
        for (const path of ["top.html", "shop/index.html", "shop/img/a b.png", "shop/img/ü.png"]) await folder.put(path, text(path));
        expect(await folder.names()).toEqual(["top.html"]);
        const found: string[] = [];
        for await (const file of folder.walk()) found.push(file.path);
        expect(found.sort()).toEqual(["shop/img/a b.png", "shop/img/ü.png", "shop/index.html", "top.html"]);
        expect(plain(await collect(folder.open("shop/img/a b.png")))).toBe("shop/img/a b.png");
      });

      it("tells absence as undefined, and a stream of what is absent as unavailable", async () => {
        const folder = (await open()).folder("certificates");
        expect(await folder.stat("absent.pfx")).toBeUndefined();
        expect(await folder.stat("absent/deeper.pfx")).toBeUndefined();
        expect(await folder.stat("x".repeat(300))).toBeUndefined();
        expect(await folder.read("absent.pfx", { maxBytes: 1 })).toBeUndefined();
        await folder.remove("absent.pfx");
        await expect(collect(folder.open("absent.pfx"))).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
      });

      it("refuses to read more than asked for, and removes", async () => {
        const folder = (await open()).folder("certificates");
        await folder.put("big.pfx", new Uint8Array(1001));
        await expect(folder.read("big.pfx", { maxBytes: 1000 })).rejects.toMatchObject({ code: "STORE_VALUE_TOO_LARGE" });
        await folder.remove("big.pfx");
        expect(await folder.names()).toEqual([]);
      });

      it.each(["", "/etc/passwd", "../state/farm-id", "a/../../b", "a/./b", "a//b", "a\\b", "a\0b", ".", ".."])(
        "refuses the path %j",
        async (path) => {
          const folder = (await open()).folder("certificates");
          const refusal = { code: "STORE_KEY_INVALID" };
          await expect(folder.stat(path)).rejects.toMatchObject(refusal);
          await expect(folder.read(path, { maxBytes: 1 })).rejects.toMatchObject(refusal);
          await expect(collect(folder.open(path))).rejects.toMatchObject(refusal);
          await expect(folder.put(path, text(""))).rejects.toMatchObject(refusal);
          await expect(folder.remove(path)).rejects.toMatchObject(refusal);
        },
      );

      it.each(["certificates", "config", "content"] as const)(
        "says 'look again' when a file of %s comes, changes and goes",
        async (name) => {
          const [one, two] = await openMany(2);
          const hints = two?.folder(name).watch({ signal: stop.signal })[Symbol.asyncIterator]();
          await hints?.next();
          const until = async (isSo: (entry: Entry | string | undefined) => boolean): Promise<void> => {
            for (;;) {
              const read = await two?.folder(name).read("a.txt", { maxBytes: 10 });
              if (isSo(read === undefined ? undefined : plain(read.bytes))) return;
              expect((await hints?.next())?.done).toBe(false);
            }
          };
          await one?.folder(name).put("a.txt", text("1"));
          await until((value) => value === "1");
          await one?.folder(name).put("a.txt", text("2"));
          await until((value) => value === "2");
          await one?.folder(name).remove("a.txt");
          await until((value) => value === undefined);
        },
      );
    });

    it("passes its own trial", async () => {
      const result = await selfTestStore(await open());
      expect(result).toMatchObject({ ok: true });
      expect(result.writeMs).toBeLessThan(2000);
    });
  });
}
