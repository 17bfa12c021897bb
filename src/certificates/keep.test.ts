import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { instant, Secret, silentLog, type HostPattern } from "../base/index.ts";
import { openKeptCopies, type KeptCopies } from "./keep.ts";
import type { KeptCopy } from "./kept-copy.ts";

let root = "";
let folder = "";
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "kept-"));
  folder = join(root, "own");
});
afterEach(() => rm(root, { recursive: true }));

const open = (more: { maxCopies?: number; maxBytes?: number } = {}): Promise<KeptCopies> =>
  openKeptCopies({ folder, log: silentLog, ...more });

function copy(file: string, stamp = "1"): KeptCopy {
  const dnsNames = ["www.example.com"] as HostPattern[]; // in normal form
  const leaf = { thumbprint: "AB", keyType: "rsa" as const, dnsNames, notBefore: instant(1), notAfter: instant(2) };
  return { file, stamp, leaf, prepared: { chainPem: "-----BEGIN CERTIFICATE-----", keyPem: new Secret("-----BEGIN PRIVATE KEY-----") } };
}

async function everyFile(): Promise<{ path: string; bytes: Buffer }[]> {
  const names = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = names.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return Promise.all(paths.map(async (path) => ({ path, bytes: await readFile(path) })));
}

describe("the node's own copies", () => {
  it("outlive a restart", async () => {
    const first = await open();
    first.put(copy("www.example.com.pfx"));
    first.putListing(["www.example.com.pfx", "b\u00fccher.example.pfx"]);
    first.putCovering([["a.pfx", { stamp: "7", names: ["x.example" as HostPattern] }]]);
    await first.close();
    const second = await open();
    const found = await second.get("www.example.com.pfx");
    expect(found).toMatchObject({ stamp: "1", leaf: copy("x").leaf, prepared: { chainPem: "-----BEGIN CERTIFICATE-----" } });
    expect(found?.prepared.keyPem.reveal()).toBe("-----BEGIN PRIVATE KEY-----");
    expect(await second.listing()).toEqual(["www.example.com.pfx", "b\u00fccher.example.pfx"]);
    expect([...(await second.covering())]).toEqual([["a.pfx", { stamp: "7", names: ["x.example"] }]]);
    await second.close();
  });

  it("are sealed, and only the node's user can read them", async () => {
    const kept = await open();
    kept.put(copy("www.example.com.pfx"));
    kept.putListing(["www.example.com.pfx"]);
    await kept.close();
    const files = await everyFile();
    expect(files.length).toBe(3);
    for (const { path, bytes } of files) {
      expect(bytes.includes("BEGIN")).toBe(false);
      expect((await stat(path)).mode & 0o077).toBe(0);
    }
    expect((await stat(folder)).mode & 0o077).toBe(0);
  });

  it("are as good as absent when one octet was changed, or when they were put under another name", async () => {
    const kept = await open();
    kept.put(copy("a.pfx"));
    kept.put(copy("b.pfx"));
    await kept.flush();
    const [a, b] = (await everyFile()).filter(({ path }) => path.includes("copies"));
    if (a === undefined || b === undefined) throw new Error("two copies expected");
    const owner = (bytes: Buffer): string => (bytes.includes("a.pfx") ? "a.pfx" : "b.pfx");
    for (const at of [a.bytes.indexOf('"stamp":"') + 9, a.bytes.length - 1]) {
      const changed = Buffer.from(a.bytes);
      changed[at] = (changed[at] ?? 0) ^ 1;
      await writeFile(a.path, changed);
      expect(await kept.get(owner(a.bytes))).toBeUndefined();
    }
    await writeFile(a.path, b.bytes);
    expect(await kept.get(owner(a.bytes))).toBeUndefined();
    expect(await kept.get(owner(b.bytes))).toBeDefined();
    await kept.close();
  });

  it("cannot be opened with another node's key", async () => {
    const kept = await open();
    kept.put(copy("a.pfx"));
    kept.putListing(["a.pfx"]);
    await kept.close();
    await rm(join(folder, "key"));
    const other = await open();
    expect(await other.get("a.pfx")).toBeUndefined();
    expect(await other.listing()).toBeUndefined();
    await other.close();
  });

  it("are bounded by count and by size; the least recently used go first, also after a restart", async () => {
    const kept = await open({ maxCopies: 2 });
    for (const file of ["a.pfx", "b.pfx"]) kept.put(copy(file));
    await kept.flush();
    await kept.get("a.pfx");
    kept.put(copy("c.pfx"));
    await kept.flush();
    expect(await kept.get("b.pfx")).toBeUndefined();
    expect(await kept.get("a.pfx")).toBeDefined();
    await kept.close();
    const smaller = await open({ maxBytes: 400 });
    await smaller.flush();
    expect((await everyFile()).filter(({ path }) => path.includes("copies"))).toHaveLength(1);
    await smaller.close();
  });

  it("go when their file goes", async () => {
    const kept = await open();
    for (const file of ["a.pfx", "b.pfx", "c.pfx"]) kept.put(copy(file));
    kept.retain((file) => file === "c.pfx");
    await kept.flush();
    expect(await kept.get("a.pfx")).toBeUndefined();
    expect(await kept.get("b.pfx")).toBeUndefined();
    expect(await kept.get("c.pfx")).toBeDefined();
    await kept.close();
  });

  it("agree on one key when processes start together", async () => {
    const all = await Promise.all(Array.from({ length: 8 }, () => open()));
    all[0]?.put(copy("a.pfx"));
    await all[0]?.flush();
    for (const kept of all) expect(await kept.get("a.pfx")).toBeDefined();
    await Promise.all(all.map((kept) => kept.close()));
  });

  it("are refused with a key that others can read, a key of another length, or a folder that is a file", async () => {
    await (await open()).close();
    await chmod(join(folder, "key"), 0o644);
    await expect(open()).rejects.toMatchObject({ code: "CERTIFICATES_KEPT_UNUSABLE" });
    await chmod(join(folder, "key"), 0o600);
    await writeFile(join(folder, "key"), "short");
    await expect(open()).rejects.toMatchObject({ code: "CERTIFICATES_KEPT_UNUSABLE" });
    await expect(openKeptCopies({ folder: join(folder, "key", "x"), log: silentLog })).rejects.toMatchObject({
      code: "CERTIFICATES_KEPT_UNUSABLE",
    });
  });
});
