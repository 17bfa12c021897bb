import { spawnSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { mkdir, readdir, readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { silentLog, systemClock } from "../../base/index.ts";
import { chunks, collect, plain, text } from "../conformance/place.ts";
import { makeTempRoot } from "../testing/temp-root.ts";
import { backupStore } from "./backup.ts";
import { openTransferEnd, type OpenedEnd } from "./open-end.ts";
import { restoreStore, verifyBackup } from "./restore.ts";

const options = { clock: systemClock, signal: new AbortController().signal };

let root: string;
let file: string;
let opened: OpenedEnd[];

beforeEach(async () => {
  root = await makeTempRoot();
  file = join(root, "farm.tar");
  opened = [];
});
afterEach(async () => {
  await Promise.all(opened.map((end) => end.close()));
  await rm(root, { recursive: true, force: true });
});

async function open(name: string, farm?: string): Promise<OpenedEnd> {
  const settings = { log: silentLog, clock: systemClock, create: true, ...(farm === undefined ? {} : { farm }) };
  const end = await openTransferEnd({ place: join(root, name) }, settings);
  opened.push(end);
  return end;
}

/** Longer than a tar header takes, and with every letter that could lead astray. */
const STRANGE_KEY = `sites/*.example.com/ü ${"x".repeat(150)}/a@b%2F`;
const SEALED = Uint8Array.from(randomBytes(300));

async function fill({ store, blobs }: OpenedEnd): Promise<string> {
  for (const [key, value] of [
    ["revisions/000001", "yaml"],
    ["revisions", "a key above another"],
    ["nodes/web1", "report"],
    ["requests/web1/1", "delete everything"],
    [STRANGE_KEY, ""],
  ] as const)
    await store.state.write(key, text(value), undefined);
  await (await store.state.lease("duties", 5000, { signal: new AbortController().signal }))?.release();
  await store.folder("certificates").put("www.example.com.pfx", SEALED);
  await store.folder("config").put("farm.yaml", text("sites: []"));
  await store.folder("content").put("shop/größe/index.html", text("<h1>"));
  await store.folder("content").put("shop/large.bin", Uint8Array.from(randomBytes(5_000_000)));
  return blobs.put(chunks(Uint8Array.from(randomBytes(900_000))));
}

const restore = (end: OpenedEnd, overwrite = false): ReturnType<typeof restoreStore> => restoreStore(file, end, { overwrite, ...options });

describe("a backup", () => {
  it("is restored into an empty place, whole, and the farm keeps its id", async () => {
    const from = await open("from");
    const digest = await fill(from);
    const made = await backupStore(from, file, options);
    expect(made).toMatchObject({ keys: 4, files: 4, blobs: 1, bytes: (await stat(file)).size });
    const facts = await verifyBackup(file);
    expect(facts).toMatchObject({ farm: await from.store.farmId(), keys: 4, files: 4, blobs: 1, from: from.store.location });
    const to = await open("to", facts.farm);
    expect(await restore(to)).toMatchObject({ keys: { written: 4 }, files: { written: 4 }, blobs: { written: 1 }, skipped: 0 });
    const keys = Object.fromEntries((await to.store.state.list("")).map(({ key, value }): [string, string] => [key, plain(value)]));
    expect(keys).toMatchObject({ "revisions/000001": "yaml", revisions: "a key above another", [STRANGE_KEY]: "" });
    const certificate = await to.store.folder("certificates").read("www.example.com.pfx", { maxBytes: 1000 });
    expect(Buffer.compare(certificate?.bytes ?? text(""), SEALED)).toBe(0);
    expect((await to.store.folder("content").stat("shop/large.bin"))?.size).toBe(5_000_000);
    expect(await collect(to.blobs.get(digest))).toHaveLength(900_000);
  });

  it("has no requests, no reports and no held leases, and fences go on", async () => {
    const from = await open("from");
    await fill(from);
    const { signal } = new AbortController();
    const held = await from.store.state.lease("duties", 60_000, { signal });
    await backupStore(from, file, options);
    const to = await open("to", await from.store.farmId());
    await restore(to);
    const names = (await to.store.state.list("")).map(({ key }) => key);
    expect(names.filter((key) => /^(nodes|requests)\//.test(key))).toEqual([]);
    expect((await to.store.state.lease("duties", 5000, { signal }))?.fence).toBe((held?.fence ?? 0n) + 1n);
  });

  it("is a tar archive that any tool unpacks, with the digest of each entry beside it", async () => {
    const from = await open("from");
    const digest = await fill(from);
    await backupStore(from, file, options);
    await mkdir(join(root, "unpacked"));
    expect(spawnSync("tar", ["-xf", file, "-C", join(root, "unpacked")]).status).toBe(0);
    const hex = digest.slice("sha256:".length);
    const blob = await readFile(join(root, "unpacked/blobs", hex));
    expect(createHash("sha256").update(blob).digest("hex")).toBe(hex);
    expect(await readFile(join(root, "unpacked/files/content/shop/größe/index.html"), "utf8")).toBe("<h1>");
    expect(await readFile(join(root, "unpacked/state/revisions@"), "utf8")).toBe("a key above another");
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });

  it.each([1, 511, 512, 1500, 3000, 5120, 20_000, 900_000])("that lacks its last %i octets or more is refused", async (missing) => {
    const from = await open("from");
    await fill(from);
    const { bytes } = await backupStore(from, file, options);
    // Tar ends in 1024 octets of nothing, which may be missing.
    await truncate(file, bytes - 1024 - missing);
    await expect(verifyBackup(file)).rejects.toMatchObject({
      code: "BACKUP_DAMAGED",
      message: expect.stringMatching(/: .*(after|end\.json|blobs)/),
    });
  });

  it("of which one octet was changed is refused, wherever it is (each seventh is tried), with the name of the entry", async () => {
    const from = await open("from");
    await from.store.state.write("k/1", text("a value"), undefined);
    await from.store.state.write("k/2", text("another value"), undefined);
    await from.store.folder("certificates").put("www.example.com.pem", text("certificate"));
    await backupStore(from, file, options);
    const right = await readFile(file);
    const noticed = async (at: number): Promise<boolean> => {
      const wrong = Buffer.from(right);
      wrong[at] = (wrong[at] ?? 0) ^ 1;
      await writeFile(file, wrong);
      return verifyBackup(file).then(
        () => false,
        (error: unknown) => (error as { code?: unknown }).code === "BACKUP_DAMAGED",
      );
    };
    // The padding of tar's blocks means nothing, nor does what ends a checksum or a record in a header.
    const meansNothing = (at: number): boolean => right[at] === 0 || right[at] === 10 || at % 512 === 154 || at % 512 === 155;
    for (let at = 0; at < right.length; at += 7)
      if (!meansNothing(at) && !(await noticed(at))) expect.fail(`octet ${at} was changed and nobody noticed`);
    const wrong = Buffer.from(right);
    wrong.write("A value", right.indexOf("a value"));
    await writeFile(file, wrong);
    await expect(verifyBackup(file)).rejects.toMatchObject({ facts: { entry: "state/k/1@" } });
  });

  it("that lacks an entry in the middle is refused at the one after it", async () => {
    const from = await open("from");
    for (const key of ["k/1", "k/2", "k/3"]) await from.store.state.write(key, text(key), undefined);
    await backupStore(from, file, options);
    expect(spawnSync("tar", ["--delete", "-f", file, "state/k/2@"]).status).toBe(0);
    await expect(verifyBackup(file)).rejects.toMatchObject({
      code: "BACKUP_DAMAGED",
      facts: { entry: expect.stringContaining("state/k/") },
    });
  });

  it.each([
    ["no archive", "certfarm"],
    ["nothing", ""],
  ])("is not %s", async (_name, content) => {
    await writeFile(file, content.repeat(200));
    await expect(verifyBackup(file)).rejects.toMatchObject({ code: "BACKUP_DAMAGED" });
  });

  it("is not somebody else's archive", async () => {
    expect(spawnSync("tar", ["-cf", file, "-C", "/etc", "hostname"]).status).toBe(0);
    await expect(verifyBackup(file)).rejects.toMatchObject({
      code: "BACKUP_DAMAGED",
      message: expect.stringContaining("no backup of certfarm"),
    });
  });

  it("is not there", async () => {
    await expect(verifyBackup(file)).rejects.toMatchObject({ code: "INPUT_FILE_UNUSABLE" });
  });

  it("leaves nothing half-written behind when the store fails meanwhile", async () => {
    const from = await open("from");
    const digest = await fill(from);
    const hex = digest.slice("sha256:".length);
    await writeFile(join(root, "from/state/blobs", hex.slice(0, 2), hex), Buffer.alloc(900_000));
    await expect(backupStore(from, file, options)).rejects.toMatchObject({ code: "STORE_CORRUPT" });
    expect((await readdir(root)).filter((name) => name.startsWith("farm.tar"))).toEqual([]);
  });

  it("that is cancelled leaves nothing behind", async () => {
    const from = await open("from");
    await fill(from);
    await expect(backupStore(from, file, { ...options, signal: AbortSignal.abort() })).rejects.toMatchObject({ code: "CANCELLED" });
    expect((await readdir(root)).filter((name) => name.startsWith("farm.tar"))).toEqual([]);
  });

  it("into a folder that is not there is refused", async () => {
    const from = await open("from");
    await expect(backupStore(from, join(root, "none/farm.tar"), options)).rejects.toMatchObject({ code: "OUTPUT_FILE_UNWRITABLE" });
  });

  it("needs little memory, however large the farm is", async () => {
    const from = await open("from");
    const piece = Uint8Array.from(randomBytes(1_000_000));
    async function* large(): AsyncGenerator<Uint8Array> {
      for (let at = 0; at < 80; at += 1) yield piece;
    }
    await from.blobs.put(large());
    const before = process.memoryUsage().arrayBuffers;
    let most = 0;
    const watching = setInterval(() => (most = Math.max(most, process.memoryUsage().arrayBuffers)), 5);
    await backupStore(from, file, options);
    await verifyBackup(file);
    clearInterval(watching);
    expect((await stat(file)).size).toBeGreaterThan(80_000_000);
    expect(most - before).toBeLessThan(50_000_000);
  });
});

describe("a restore", () => {
  it("is refused where something is already, and says what", async () => {
    const from = await open("from");
    await fill(from);
    await backupStore(from, file, options);
    await expect(restore(from)).rejects.toMatchObject({ code: "STORE_NOT_EMPTY" });
  });

  it("is refused in another farm's place, told to overwrite or not", async () => {
    const from = await open("from");
    await fill(from);
    await backupStore(from, file, options);
    await expect(restore(await open("other"), true)).rejects.toMatchObject({ code: "STORE_OF_ANOTHER_FARM" });
  });

  it("that was told to overwrite makes the place what the backup says, and tells it", async () => {
    const from = await open("from");
    await fill(from);
    await backupStore(from, file, options);
    const { state } = from.store;
    await state.write("revisions/000001", text("changed"), (await state.read("revisions/000001"))?.rev);
    await state.write("revisions/000002", text("new"), undefined);
    await from.store.folder("certificates").put("new.example.com.pem", text("new"));
    await from.store.folder("config").put("farm.yaml", text("sites: [new]"));
    const report = await restore(from, true);
    expect(report).toMatchObject({
      keys: { written: 1, same: 3, removed: 1 },
      files: { written: 1, same: 3, removed: 1 },
      blobs: { written: 0, same: 1 },
    });
    expect(plain((await state.read("revisions/000001"))?.value)).toBe("yaml");
    expect(await state.read("nodes/web1")).toBeDefined();
    expect(await from.store.folder("certificates").names()).toEqual(["www.example.com.pfx"]);
  });

  it("is refused while a process works on the place", async () => {
    const from = await open("from");
    await fill(from);
    await backupStore(from, file, options);
    await from.store.state.lease("duties", 600, { signal: new AbortController().signal });
    await expect(restore(from, true)).rejects.toMatchObject({ code: "STORE_IN_USE", message: expect.stringContaining("leases/duties") });
  });
});
