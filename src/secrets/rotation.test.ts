import { randomBytes } from "node:crypto";

import { beforeEach, describe, expect, it } from "vitest";

import { FarmError, silentLog, systemClock } from "../base/index.ts";
import { createMemoryBacking, createMemoryStore, type FarmStore, type Folder } from "../store/index.ts";
import { beginFarmKeyChange, endFarmKeyChange } from "./change-farm-key.ts";
import { readSealedHeader } from "./envelope.ts";
import { parseFarmKey, type FarmKey } from "./farm-key.ts";
import { followFarmKey, readHolders } from "./holders.ts";
import { rotateDataKey, type RotationParts } from "./rotate-data-key.ts";
import { sealStore, type SealedStore } from "./seal-farm-store.ts";
import { addSharedPassword, listSharedPasswords, removeSharedPassword } from "./shared-passwords.ts";
import { Secret } from "../base/index.ts";

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const plain = (value: Uint8Array | undefined): string => Buffer.from(value ?? []).toString();
const MAX = { maxBytes: 10_000 };
const signal = new AbortController().signal;
const newKey = (): FarmKey => parseFarmKey(randomBytes(32), "a test");
const [first, second] = [newKey(), newKey()];

let backing = createMemoryBacking();
/** What each process's key file holds now. */
let file = first;
beforeEach(() => {
  backing = createMemoryBacking();
  file = first;
});

const open = (given: () => FarmKey = () => file, kept: FarmStore = createMemoryStore({ backing })): SealedStore =>
  sealStore(kept, { source: { where: "a test", kind: "file", load: async () => given() }, clock: systemClock, log: silentLog });
const parts = ({ kept, secrets }: SealedStore): RotationParts => ({ store: kept, secrets, clock: systemClock, log: silentLog });
const generations = async ({ secrets }: SealedStore): Promise<readonly number[]> =>
  (await secrets.keyring())?.keyring.generations.map(({ generation }) => generation) ?? [];

/** A store whose calls take a while, so that those of several processes come between each other. */
function unhurried(): FarmStore {
  const store = createMemoryStore({ backing });
  const wait = async (): Promise<void> => {
    for (let left = Math.random() * 4; left > 0; left -= 1) await new Promise((resolve) => setImmediate(resolve));
  };
  const folder = store.folder("certificates");
  const slowFolder: Folder = {
    ...folder,
    read: (...args) => wait().then(() => folder.read(...args)),
    put: (...args) => wait().then(() => folder.put(...args)),
  };
  const state: FarmStore["state"] = {
    ...store.state,
    read: (key) => wait().then(() => store.state.read(key)),
    write: (...args) => wait().then(() => store.state.write(...args)),
  };
  return { ...store, state, folder: (name) => (name === "certificates" ? slowFolder : store.folder(name)) };
}

async function fill(sealed: SealedStore, count: number): Promise<void> {
  for (let at = 0; at < count; at += 1) await sealed.store.folder("certificates").put(`h${at}.example.com.pem`, text(`key ${at}`));
  await sealed.store.state.write("tickets/keys", text("tickets"), undefined);
}

async function expectWhole(sealed: SealedStore, count: number): Promise<void> {
  const folder = sealed.store.folder("certificates");
  for (let at = 0; at < count; at += 1) expect(plain((await folder.read(`h${at}.example.com.pem`, MAX))?.bytes)).toBe(`key ${at}`);
  expect(plain((await sealed.store.state.read("tickets/keys"))?.value)).toBe("tickets");
}

describe("a new data key", () => {
  it("seals everything anew, shows how far it is, and drops the former one", async () => {
    const sealed = open();
    await fill(sealed, 30);
    await sealed.kept.folder("certificates").put("plain.example.com.pfx", text("pfx"));
    const seen: number[] = [];
    const outcome = await rotateDataKey(parts(sealed), { signal, onProgress: ({ done, total }) => seen.push(done / total) });
    expect(outcome).toEqual({ generation: 2, resealed: 31, plain: 1, removed: [], unreadable: [], dropped: [1], finished: true });
    expect([seen[0], seen.at(-1)]).toEqual([1 / 32, 1]);
    expect(await generations(sealed)).toEqual([2]);
    await expectWhole(open(), 30);
    expect(plain((await sealed.kept.folder("certificates").read("plain.example.com.pfx", MAX))?.bytes)).toBe("pfx");
  });

  it("seals files that are in the clear when it is told to", async () => {
    const sealed = open();
    await sealed.kept.folder("certificates").put("plain.example.com.pfx", text("pfx"));
    expect(await rotateDataKey(parts(sealed), { signal, sealFiles: true })).toMatchObject({ resealed: 1, plain: 0, finished: true });
    expect(plain((await sealed.kept.folder("certificates").read("plain.example.com.pfx", MAX))?.bytes)).not.toContain("pfx");
    expect(plain((await open().store.folder("certificates").read("plain.example.com.pfx", MAX))?.bytes)).toBe("pfx");
  });

  it("is gone on with after a crash, not begun again", async () => {
    const sealed = open();
    await fill(sealed, 40);
    let writes = 0;
    const folder = sealed.kept.folder("certificates");
    const put: Folder["put"] = (path, bytes, options) => {
      writes += 1;
      return writes > 15 ? Promise.reject(new FarmError("STORE_UNAVAILABLE", "the power failed")) : folder.put(path, bytes, options);
    };
    const dying: FarmStore = {
      ...sealed.kept,
      folder: (name) => (name === "certificates" ? { ...folder, put } : sealed.kept.folder(name)),
    };
    await expect(rotateDataKey({ ...parts(sealed), store: dying }, { signal })).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
    expect(await generations(sealed)).toEqual([1, 2]);
    await expectWhole(open(), 40);
    const outcome = await rotateDataKey(parts(open()), { signal });
    expect(outcome).toMatchObject({ generation: 2, dropped: [1], finished: true });
    expect(outcome.resealed).toBe(25);
    await expectWhole(open(), 40);
  });

  it("loses no write that other processes do meanwhile", async () => {
    const sealed = open(() => file, unhurried());
    await fill(sealed, 20);
    const writers = Array.from({ length: 4 }, () => open(() => file, unhurried()));
    const over = new AbortController();
    const written = new Map<string, string>();
    const write = async (writer: SealedStore, who: number): Promise<void> => {
      for (let round = 0; !over.signal.aborted; round += 1) {
        const name = `w${who}-${round % 7}.example.com.pem`;
        const value = `${who} wrote ${round}`;
        await writer.store.folder("certificates").put(name, text(value));
        written.set(name, value);
      }
    };
    const writing = writers.map(write);
    for (let round = 2; round <= 5 || written.size < 20; round += 1) {
      const outcome = await rotateDataKey(parts(sealed), { signal });
      expect(outcome.unreadable).toEqual([]);
    }
    over.abort();
    await Promise.all(writing);
    expect(written.size).toBeGreaterThan(10);
    const folder = open().store.folder("certificates");
    for (const [name, value] of written) expect(plain((await folder.read(name, MAX))?.bytes)).toBe(value);
    await expectWhole(open(), 20);
  });

  it("reaches a write that was under way during all of it", async () => {
    const sealed = open();
    await fill(sealed, 3);
    const store = createMemoryStore({ backing });
    let release = (): void => {};
    const released = new Promise<void>((resolve) => (release = resolve));
    const arrived = { file: () => {}, key: () => {} };
    const bothArrived = Promise.all([
      new Promise<void>((resolve) => (arrived.file = resolve)),
      new Promise<void>((resolve) => (arrived.key = resolve)),
    ]);
    const folder = store.folder("certificates");
    const held = <T>(tell: () => void, write: () => Promise<T>): Promise<T> => {
      tell();
      return released.then(write);
    };
    const stuck: FarmStore = {
      ...store,
      state: { ...store.state, write: (...args) => held(arrived.key, () => store.state.write(...args)) },
      folder: () => ({ ...folder, put: (...args) => held(arrived.file, () => folder.put(...args)) }),
    };
    const writer = open(() => file, stuck).store;
    const writing = [
      writer.folder("certificates").put("late.example.com.pem", text("late")),
      writer.state.write("tickets/late", text("late"), undefined),
    ];
    await bothArrived;
    expect(await rotateDataKey(parts(sealed), { signal })).toMatchObject({ dropped: [1] });
    release();
    await Promise.all(writing);
    expect(plain((await open().store.folder("certificates").read("late.example.com.pem", MAX))?.bytes)).toBe("late");
    expect(plain((await open().store.state.read("tickets/late"))?.value)).toBe("late");
  });

  it("does not drop a data key that something unreadable names, and says what", async () => {
    const sealed = open();
    await fill(sealed, 3);
    const folder = sealed.kept.folder("certificates");
    const stored = await folder.read("h1.example.com.pem", MAX);
    await folder.put("stolen.example.com.pem", stored?.bytes ?? new Uint8Array());
    const outcome = await rotateDataKey(parts(sealed), { signal });
    expect(outcome).toMatchObject({ dropped: [], unreadable: [{ name: "certificates/stolen.example.com.pem" }] });
    await folder.remove("stolen.example.com.pem");
    expect(await rotateDataKey(parts(sealed), { signal })).toMatchObject({ generation: 2, dropped: [1], unreadable: [] });
  });

  it("is made by one process at a time", async () => {
    const [one, other] = [open(), open()];
    await fill(one, 20);
    const outcomes = await Promise.allSettled([rotateDataKey(parts(one), { signal }), rotateDataKey(parts(other), { signal })]);
    const refused = outcomes.filter((outcome) => outcome.status === "rejected");
    expect(refused).toHaveLength(1);
    expect(refused[0]?.reason).toMatchObject({ code: "SECRETS_ROTATION_UNDER_WAY" });
  });

  it("leaves values of a time before it refused, by name", async () => {
    const sealed = open();
    await fill(sealed, 1);
    const folder = sealed.kept.folder("certificates");
    const old = await folder.read("h0.example.com.pem", MAX);
    await rotateDataKey(parts(sealed), { signal });
    await folder.put("h0.example.com.pem", old?.bytes ?? new Uint8Array());
    await expect(open().store.folder("certificates").read("h0.example.com.pem", MAX)).rejects.toMatchObject({
      code: "SECRETS_GENERATION_UNKNOWN",
      message: expect.stringContaining("certificates/h0.example.com.pem") as string,
    });
  });

  it("can be ended, and gone on with", async () => {
    const sealed = open();
    await fill(sealed, 20);
    const stop = new AbortController();
    const onProgress = ({ done }: { done: number }): void => void (done > 5 && stop.abort());
    await expect(rotateDataKey(parts(sealed), { signal: stop.signal, onProgress })).rejects.toMatchObject({ code: "CANCELLED" });
    expect(await rotateDataKey(parts(sealed), { signal })).toMatchObject({ generation: 2, dropped: [1] });
  });
});

describe("a new farm key", () => {
  it("is taken over by running nodes when their file is replaced, without an error at any moment", async () => {
    let nodeFile = first;
    const [admin, node] = [open(), open(() => nodeFile)];
    await fill(admin, 5);
    const stop = new AbortController();
    const tell = (): Promise<void> => {
      const turn = new AbortController();
      const holder = { state: node.kept.state, secrets: node.secrets, name: "web1", clock: systemClock, log: silentLog };
      const told = followFarmKey(holder, turn.signal);
      return until(async () => (await readHolders(node.kept.state))[0]?.farmKey === nodeFile.id).then(() => {
        turn.abort();
        return told;
      });
    };
    await tell();
    await expectWhole(node, 5);
    expect(await beginFarmKeyChange(parts(admin), second, signal)).toEqual({ farmKeys: [first.id, second.id], waiting: ["web1"] });
    await expectWhole(node, 5);
    await expectWhole(
      open(() => second),
      5,
    );
    file = second;
    const ended = { nodes: ["web1"], force: false, signal };
    await expect(endFarmKeyChange(parts(admin), ended)).rejects.toMatchObject({ code: "SECRETS_KEY_IN_USE", facts: { waiting: ["web1"] } });
    await expectWhole(node, 5);
    nodeFile = second;
    await tell();
    expect(await endFarmKeyChange(parts(admin), ended)).toEqual({ farmKeys: [second.id], waiting: [] });
    await expectWhole(node, 5);
    await node.store.folder("certificates").put("h0.example.com.pem", text("key 0"));
    await expectWhole(
      open(() => second),
      5,
    );
    await expect(open(() => first).store.state.read("tickets/keys")).rejects.toMatchObject({ code: "SECRETS_KEY_WRONG" });
    stop.abort();
  });

  it("does not take away the farm key that this process itself still has", async () => {
    const admin = open();
    await fill(admin, 1);
    await beginFarmKeyChange(parts(admin), second, signal);
    const ended = { nodes: [], force: true, signal };
    await expect(endFarmKeyChange(parts(admin), ended)).rejects.toMatchObject({ code: "SECRETS_KEY_WRONG" });
  });

  it("is not begun twice, and repeated without harm", async () => {
    const admin = open();
    await fill(admin, 1);
    await beginFarmKeyChange(parts(admin), second, signal);
    expect((await beginFarmKeyChange(parts(admin), second, signal)).farmKeys).toEqual([first.id, second.id]);
    await expect(beginFarmKeyChange(parts(admin), newKey(), signal)).rejects.toMatchObject({ code: "SECRETS_ROTATION_UNDER_WAY" });
    await expect(rotateDataKey(parts(admin), { signal })).rejects.toMatchObject({ code: "SECRETS_ROTATION_UNDER_WAY" });
  });

  it("may be forced on nodes that are gone, and seals nothing anew", async () => {
    const admin = open();
    await fill(admin, 2);
    const before = await admin.kept.folder("certificates").read("h0.example.com.pem", MAX);
    await beginFarmKeyChange(parts(admin), second, signal);
    file = second;
    expect((await endFarmKeyChange(parts(admin), { nodes: ["gone"], force: true, signal })).farmKeys).toEqual([second.id]);
    expect(await admin.kept.folder("certificates").read("h0.example.com.pem", MAX)).toEqual(before);
    expect(readSealedHeader(before?.bytes ?? new Uint8Array(), "h0").generation).toBe(1);
  });
});

describe("passwords of the farm", () => {
  it("are sealed, shown without themselves, and removed", async () => {
    const sealed = open();
    await sealed.secrets.found();
    const added = await addSharedPassword(sealed.store.state, {
      password: new Secret("horse battery"),
      files: "*.pfx",
      by: "someone",
      at: 5,
    });
    expect(added).toEqual({ id: expect.stringMatching(/^[0-9a-f]{8}$/) as string, files: "*.pfx", by: "someone", at: 5 });
    expect(plain((await sealed.kept.state.read(`passwords/${added.id}`))?.value)).not.toContain("horse");
    const [found] = await listSharedPasswords(open().store.state);
    expect(found?.password.reveal()).toBe("horse battery");
    expect(JSON.stringify(found)).not.toContain("horse");
    await removeSharedPassword(sealed.kept.state, added.id);
    expect(await listSharedPasswords(sealed.store.state)).toEqual([]);
    for (const id of [added.id, "", "../keyring"]) {
      await expect(removeSharedPassword(sealed.kept.state, id)).rejects.toMatchObject({ code: "SECRETS_PASSWORD_UNKNOWN" });
    }
  });
});

/** Resolves once it is so: what is awaited is another's write. */
async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setImmediate(resolve));
}
