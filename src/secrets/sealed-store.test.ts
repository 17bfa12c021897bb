import { randomBytes } from "node:crypto";
import { inspect } from "node:util";

import { beforeEach, describe, expect, it } from "vitest";

import { createLog, instant, silentLog, type Clock, type Log } from "../base/index.ts";
import { createMemoryBacking, createMemoryStore, type FarmStore, type Rev } from "../store/index.ts";
import { isSealed, readSealedHeader } from "./envelope.ts";
import type { FarmKeySource } from "./farm-key-source.ts";
import { parseFarmKey, type FarmKey } from "./farm-key.ts";
import { rotateDataKey } from "./rotate-data-key.ts";
import { sealStore, type SealedStore } from "./seal-farm-store.ts";

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const plain = (value: Uint8Array | undefined): string => Buffer.from(value ?? []).toString();
const MAX = { maxBytes: 10_000 };
const SECRET = "-----BEGIN PRIVATE KEY-----";
let nowMs = 0;
const clock: Clock = { now: () => instant(nowMs), monotonicMs: () => nowMs };
const newKey = (): FarmKey => parseFarmKey(randomBytes(32), "a test");
const key = newKey();
const from = (load: () => FarmKey): FarmKeySource => ({ where: "a test", kind: "file", load: async () => load() });

let backing = createMemoryBacking();
let kept: FarmStore;
beforeEach(() => {
  nowMs = 1_000_000;
  backing = createMemoryBacking();
  kept = createMemoryStore({ backing });
});

interface Given {
  readonly farmKey?: FarmKey | undefined;
  readonly source?: FarmKeySource;
  readonly location?: string;
  readonly log?: Log;
}

/** One process over the shared backing; without a farm key when that is given as undefined. */
function open(given: Given = {}): SealedStore {
  const { farmKey = "farmKey" in given ? undefined : key, location = "memory", log = silentLog } = given;
  const source = given.source ?? (farmKey === undefined ? undefined : from(() => farmKey));
  return sealStore({ ...createMemoryStore({ backing }), location }, { source, clock, log });
}
const etcd = (given: Given = {}) => open({ location: "etcds://db1/farm", ...given });
const certificates = ({ store }: SealedStore) => store.folder("certificates");
const rotate = ({ kept, secrets }: SealedStore) =>
  rotateDataKey({ store: kept, secrets, clock, log: silentLog }, { signal: new AbortController().signal });

describe("a certificate file", () => {
  it("is sealed in the store and whole to every process with the farm key", async () => {
    await certificates(open()).put("a.pem", text(SECRET));
    const stored = await kept.folder("certificates").read("a.pem", MAX);
    expect(isSealed(stored?.bytes ?? new Uint8Array())).toBe(true);
    expect(plain(stored?.bytes)).not.toContain(SECRET);
    const other = certificates(open());
    expect(plain((await other.read("a.pem", MAX))?.bytes)).toBe(SECRET);
    let streamed = "";
    for await (const piece of other.open("a.pem")) streamed += plain(piece);
    expect(streamed).toBe(SECRET);
    expect(await other.names()).toEqual(["a.pem"]);
    expect((await other.read("a.pem", MAX))?.stat).toEqual(stored?.stat);
  });

  it("counts its versions", async () => {
    const folder = certificates(open());
    for (const value of ["1", "2", "3"]) await folder.put("a.pem", text(value));
    const stored = await kept.folder("certificates").read("a.pem", MAX);
    expect(readSealedHeader(stored?.bytes ?? new Uint8Array(), "a.pem").version).toBe(3);
  });

  it.each([
    ["under another name", "b.pem", (bytes: Uint8Array) => bytes],
    ["with one octet changed", "a.pem", (bytes: Uint8Array) => bytes.map((octet, at) => (at === 50 ? octet ^ 4 : octet))],
    ["cut short", "a.pem", (bytes: Uint8Array) => bytes.subarray(0, 70)],
  ])("is refused %s, by an error that names it", async (_what, name, change) => {
    const sealed = open();
    await certificates(sealed).put("a.pem", text(SECRET));
    const stored = await kept.folder("certificates").read("a.pem", MAX);
    await kept.folder("certificates").put(name, change(stored?.bytes ?? new Uint8Array()));
    await expect(certificates(sealed).read(name, MAX)).rejects.toMatchObject({
      code: "SECRETS_TAMPERED",
      message: expect.stringContaining(`certificates/${name}`) as string,
    });
  });

  it("in the clear is taken as it is from a directory, and never from etcd", async () => {
    await kept.folder("certificates").put("a.pfx", text("pfx"));
    expect(plain((await certificates(open()).read("a.pfx", MAX))?.bytes)).toBe("pfx");
    await expect(certificates(open()).read("a.pfx", { maxBytes: 2 })).rejects.toMatchObject({ code: "STORE_VALUE_TOO_LARGE" });
    await expect(certificates(etcd()).read("a.pfx", MAX)).rejects.toMatchObject({ code: "SECRETS_PLAIN_REFUSED" });
  });

  it("may be as large as the caller allows, sealed or not", async () => {
    const folder = certificates(open());
    await folder.put("a.pem", new Uint8Array(1_000));
    expect((await folder.read("a.pem", { maxBytes: 1_000 }))?.bytes).toHaveLength(1_000);
    await expect(folder.read("a.pem", { maxBytes: 999 - 60 })).rejects.toMatchObject({ code: "STORE_VALUE_TOO_LARGE" });
  });

  it("is written over the version that was expected only", async () => {
    const folder = certificates(open());
    const { stamp } = await folder.put("a.pem", text("one"));
    await folder.put("a.pem", text("two"), { expect: stamp });
    await expect(folder.put("a.pem", text("three"), { expect: stamp })).rejects.toMatchObject({ code: "STORE_CONFLICT" });
    expect(plain((await folder.read("a.pem", MAX))?.bytes)).toBe("two");
  });
});

describe("secret keys", () => {
  it("are sealed, listed and watched in the clear by who has the farm key; others stay as they are", async () => {
    const { state } = open().store;
    let rev: Rev | undefined = await state.write("tickets/keys", text("ticket secret"), undefined);
    rev = await state.write("tickets/keys", text("ticket secret 2"), rev);
    await state.write("nodes/web1", text("report"), undefined);
    expect(plain((await kept.state.read("tickets/keys"))?.value)).not.toContain("ticket secret");
    expect(plain((await kept.state.read("nodes/web1"))?.value)).toBe("report");
    const other = open().store.state;
    expect(await other.read("tickets/keys")).toMatchObject({ value: text("ticket secret 2"), rev });
    expect((await other.list("tickets")).map(({ value }) => plain(value))).toEqual(["ticket secret 2"]);
    const stop = new AbortController();
    for await (const change of other.watch("tickets", { signal: stop.signal })) {
      if (change.type !== "reset") continue;
      expect(change.entries.map(({ value }) => plain(value))).toEqual(["ticket secret 2"]);
      stop.abort();
    }
    await expect(state.write("tickets/keys", text("stale"), undefined)).rejects.toMatchObject({ code: "STORE_CONFLICT" });
    await state.remove("tickets/keys", rev);
    expect(await other.read("tickets/keys")).toBeUndefined();
  });

  it("in the clear are removed when the farm gets a farm key, so that new ones are made", async () => {
    await open({ farmKey: undefined }).store.state.write("tickets/keys", text("plain"), undefined);
    expect(plain((await open({ farmKey: undefined }).store.state.read("tickets/keys"))?.value)).toBe("plain");
    const { state } = open().store;
    expect(await state.read("tickets/keys")).toBeUndefined();
    await state.write("tickets/keys", text("new"), undefined);
    expect(plain((await open().store.state.read("tickets/keys"))?.value)).toBe("new");
  });

  it("in the clear are refused once the farm is sealed, and removed by a rotation", async () => {
    const sealed = open();
    const rev = await sealed.store.state.write("tickets/keys", text("good"), undefined);
    await kept.state.write("tickets/keys", text("planted"), rev);
    await expect(sealed.store.state.read("tickets/keys")).rejects.toMatchObject({ code: "SECRETS_PLAIN_REFUSED" });
    await expect(open().store.state.list("tickets")).rejects.toMatchObject({ code: "SECRETS_PLAIN_REFUSED" });
    expect((await rotate(sealed)).removed).toEqual(["tickets/keys"]);
    expect(await sealed.store.state.read("tickets/keys")).toBeUndefined();
  });

  it("that cannot be opened do not end a watch", async () => {
    const lines: string[] = [];
    const { state } = open({ log: createLog({ write: (line) => lines.push(line), now: () => 0 }) }).store;
    await state.write("tickets/keys", text("good"), undefined);
    await kept.state.write("tickets/other", text("planted"), undefined);
    const stop = new AbortController();
    for await (const change of state.watch("tickets", { signal: stop.signal })) {
      if (change.type === "reset") expect(change.entries.map(({ value }) => plain(value)).sort()).toEqual(["good", "planted"]);
      stop.abort();
    }
    expect(lines.join()).toContain("tickets/other");
  });
});

describe("a process without the farm key", () => {
  it("goes on in a directory where nothing was ever sealed", async () => {
    const { store } = open({ farmKey: undefined });
    await store.state.write("tickets/keys", text("plain"), undefined);
    await store.folder("certificates").put("a.pfx", text("pfx"));
    expect(plain((await kept.folder("certificates").read("a.pfx", MAX))?.bytes)).toBe("pfx");
  });

  it("neither reads nor writes secrets of a sealed farm, and says how to", async () => {
    await certificates(open()).put("a.pem", text(SECRET));
    const { store } = open({ farmKey: undefined });
    const needed = { code: "SECRETS_KEY_NEEDED", remedy: expect.stringContaining("--farm-key-file") as string };
    await expect(store.folder("certificates").read("a.pem", MAX)).rejects.toMatchObject(needed);
    await expect(store.folder("certificates").put("b.pem", text("b"))).rejects.toMatchObject(needed);
    await expect(store.state.write("tickets/keys", text("plain"), undefined)).rejects.toMatchObject(needed);
  });

  it("puts no certificate and no secret key into etcd", async () => {
    const { store } = etcd({ farmKey: undefined });
    const needed = { code: "SECRETS_KEY_NEEDED", remedy: expect.stringContaining("certfarm secrets new-key") as string };
    await expect(store.folder("certificates").put("b.pem", text("b"))).rejects.toMatchObject(needed);
    await expect(store.state.write("tickets/keys", text("plain"), undefined)).rejects.toMatchObject(needed);
    await kept.state.write("tickets/keys", text("plain"), undefined);
    await expect(store.state.read("tickets/keys")).rejects.toMatchObject({ code: "SECRETS_PLAIN_REFUSED" });
    await store.state.write("nodes/web1", text("report"), undefined);
  });
});

describe("the farm key", () => {
  it("of another farm opens nothing, and the error names both", async () => {
    await certificates(open()).put("a.pem", text(SECRET));
    const other = newKey();
    await expect(certificates(open({ farmKey: other })).read("a.pem", MAX)).rejects.toMatchObject({
      code: "SECRETS_KEY_WRONG",
      message: expect.stringMatching(`${key.id}.*${other.id}`) as string,
    });
  });

  it("is loaded once for many files, and again when it is another's by now", async () => {
    await certificates(open()).put("a.pem", text(SECRET));
    let loads = 0;
    let given = newKey();
    const sealed = open({
      source: from(() => {
        loads += 1;
        return given;
      }),
    });
    const read = () => certificates(sealed).read("a.pem", MAX);
    await Promise.allSettled(Array.from({ length: 50 }, read));
    await expect(read()).rejects.toMatchObject({ code: "SECRETS_KEY_WRONG" });
    expect(loads).toBe(1);
    given = key;
    nowMs += 6_000;
    expect(plain((await read())?.bytes)).toBe(SECRET);
    expect(loads).toBe(2);
  });

  it("that cannot be loaded now is asked for again", async () => {
    await certificates(open()).put("a.pem", text(SECRET));
    let isDown = true;
    const sealed = open({
      source: from(() => {
        if (isDown) throw new Error("KMS is away");
        return key;
      }),
    });
    await expect(certificates(sealed).read("a.pem", MAX)).rejects.toThrow("KMS is away");
    isDown = false;
    expect(plain((await certificates(sealed).read("a.pem", MAX))?.bytes)).toBe(SECRET);
  });
});

describe("founding", () => {
  it("happens once, whoever is first", async () => {
    const farm = Array.from({ length: 8 }, () => open());
    await Promise.all(farm.map((sealed, at) => certificates(sealed).put(`${at}.pem`, text(`${SECRET}${at}`))));
    for (const at of farm.keys()) {
      for (const other of farm) expect(plain((await certificates(other).read(`${at}.pem`, MAX))?.bytes)).toBe(`${SECRET}${at}`);
    }
  });

  it("is refused while there are values of a keyring that was lost", async () => {
    await certificates(open()).put("a.pem", text(SECRET));
    const entry = await kept.state.read("secrets/keyring");
    await kept.state.remove("secrets/keyring", entry?.rev ?? ("" as Rev));
    await expect(certificates(open()).put("b.pem", text(SECRET))).rejects.toMatchObject({ code: "SECRETS_KEYRING_LOST" });
    await expect(certificates(open()).read("a.pem", MAX)).rejects.toMatchObject({ code: "SECRETS_KEYRING_LOST" });
  });
});

it("prints no key, whatever prints it", async () => {
  const sealed = open();
  await certificates(sealed).put("a.pem", text(SECRET));
  const shown =
    inspect(sealed, { depth: 12, showHidden: true }) +
    JSON.stringify(sealed) +
    inspect(await sealed.secrets.farmKey(), { showHidden: true });
  for (const form of ["hex", "base64"] as const) expect(shown).not.toContain(key.key.export().toString(form));
  expect(shown).not.toContain(SECRET);
});
