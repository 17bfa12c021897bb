import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { appendFile, mkdir, readdir, rename, rm, stat, symlink, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { silentLog, systemClock } from "../../base/index.ts";
import type { Folder } from "../contract.ts";
import { openDirectoryStore, type DirectoryStoreOptions, type FarmStore } from "../index.ts";
import { makeTempRoot } from "../testing/temp-root.ts";

const text = (value: string): Uint8Array => new TextEncoder().encode(value);

let base = "";
let root = "";
let opened: FarmStore[];
let stop: AbortController;

const openStore = async (more: Partial<DirectoryStoreOptions> = {}): Promise<FarmStore> => {
  const store = await openDirectoryStore({ root, log: silentLog, clock: systemClock, pollMs: 20, ...more });
  opened.push(store);
  return store;
};
const walked = async (folder: Folder): Promise<string[]> => {
  const paths: string[] = [];
  for await (const file of folder.walk()) paths.push(file.path);
  return paths.sort();
};
/** Hints after the first one, which only says that watching is in place. */
async function hintsOf(folder: Folder): Promise<() => Promise<{ readonly paths?: readonly string[] }>> {
  const hints = folder.watch({ signal: stop.signal })[Symbol.asyncIterator]();
  await hints.next();
  return async () => {
    const next = await hints.next();
    if (next.done === true) throw new Error("the watch ended");
    return next.value;
  };
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

describe("links", () => {
  it("that stay inside are followed, as in a mounted Kubernetes secret", async () => {
    const folder = (await openStore()).folder("certificates");
    const version = join(root, "certificates", "..2026_11_24");
    await mkdir(version);
    await writeFile(join(version, "www.example.com.pem"), "pem");
    await symlink("..2026_11_24", join(root, "certificates", "..data"));
    await symlink("..data/www.example.com.pem", join(root, "certificates", "www.example.com.pem"));
    expect(await folder.names()).toEqual(["www.example.com.pem"]);
    expect(await folder.read("www.example.com.pem", { maxBytes: 10 })).toMatchObject({ bytes: text("pem"), stat: { size: 3 } });
    expect(await walked(folder)).toEqual(["..2026_11_24/www.example.com.pem", "www.example.com.pem"]);
  });

  it("that lead out are as if they were not there", async () => {
    const folder = (await openStore()).folder("content");
    await mkdir(join(base, "secrets"));
    await writeFile(join(base, "secrets", "key.pem"), "secret");
    await symlink(join(base, "secrets", "key.pem"), join(root, "content", "file"));
    await symlink(join(base, "secrets"), join(root, "content", "directory"));
    await symlink("../state/farm-id", join(root, "content", "relative"));
    await symlink("loop", join(root, "content", "loop"));
    await symlink("nowhere", join(root, "content", "dangling"));
    expect(await folder.names()).toEqual([]);
    expect(await walked(folder)).toEqual([]);
    for (const path of ["file", "directory/key.pem", "relative", "loop", "dangling"]) {
      expect(await folder.stat(path)).toBeUndefined();
      expect(await folder.read(path, { maxBytes: 100 })).toBeUndefined();
    }
    await expect(folder.put("directory/new.pem", text("x"))).rejects.toMatchObject({ code: "STORE_KEY_INVALID" });
    await folder.remove("directory/key.pem");
    expect(await readdir(join(base, "secrets"))).toEqual(["key.pem"]);
  });

  it("are replaced, not written through, by a put", async () => {
    const folder = (await openStore()).folder("config");
    await writeFile(join(base, "outside"), "outside");
    await symlink(join(base, "outside"), join(root, "config", "farm.yaml"));
    await folder.put("farm.yaml", text("inside"));
    expect((await folder.read("farm.yaml", { maxBytes: 10 }))?.bytes).toEqual(text("inside"));
    expect((await stat(join(base, "outside"))).size).toBe(7);
  });
});

describe("what is no regular file", () => {
  it("is told by its stat, and never read nor waited for", async () => {
    const folder = (await openStore()).folder("certificates");
    execFileSync("mkfifo", [join(root, "certificates", "pipe.pfx")]);
    await mkdir(join(root, "certificates", "directory.pfx"));
    await mkdir(join(root, "certificates", "authorities"));
    expect([...(await folder.names())].sort()).toEqual(["directory.pfx", "pipe.pfx"]);
    expect(await walked(folder)).toEqual([]);
    for (const path of ["pipe.pfx", "directory.pfx"]) {
      expect(await folder.stat(path)).toBeUndefined();
      expect(await folder.read(path, { maxBytes: 10 })).toBeUndefined();
    }
  });
});

describe("temporary files", () => {
  it("are hidden, and removed when their writer has been dead for long", async () => {
    const store = await openStore();
    for (const name of ["certificates", "content"] as const) {
      const [old, young] = [join(root, name, ".certfarm-tmp-old"), join(root, name, ".certfarm-tmp-young")];
      await writeFile(old, "");
      await writeFile(young, "");
      await utimes(old, new Date(), new Date(Date.now() - 2 * 86_400_000));
      expect(await store.folder(name).names()).toEqual([]);
      expect(await walked(store.folder(name))).toEqual([]);
      expect(await readdir(join(root, name))).toEqual([".certfarm-tmp-young"]);
    }
  });
});

describe("a folder of 20,000 files", () => {
  it("gives its names for the price of one listing", async () => {
    const folder = (await openStore()).folder("certificates");
    for (let at = 0; at < 20_000; at += 1) writeFileSync(join(root, "certificates", `host${at}.example.com.pfx`), "");
    const before = process.cpuUsage();
    expect(await folder.names()).toHaveLength(20_000);
    const used = process.cpuUsage(before);
    expect((used.user + used.system) / 1000).toBeLessThan(300);
  });
});

describe("files", () => {
  it("of certificates are for certfarm's user alone", async () => {
    const store = await openStore();
    await store.folder("certificates").put("www.example.com.pfx", text("key"));
    expect((await stat(join(root, "certificates", "www.example.com.pfx"))).mode & 0o777).toBe(0o600);
    expect((await stat(join(root, "certificates"))).mode & 0o777).toBe(0o700);
  });

  it("that grow while they are read are read again", async () => {
    const folder = (await openStore()).folder("config");
    const file = join(root, "config", "log.txt");
    await writeFile(file, "x".repeat(1_000_000));
    const reads = Array.from({ length: 6 }, () => folder.read("log.txt", { maxBytes: 10_000_000 }));
    for (let round = 0; round < 10; round += 1) await appendFile(file, "y".repeat(10_000));
    for (const result of await Promise.allSettled(reads)) {
      if (result.status === "rejected") expect(result.reason).toMatchObject({ code: "STORE_UNAVAILABLE" });
      else expect(result.value?.bytes.byteLength).toBe(result.value?.stat.size);
    }
    expect((await folder.read("log.txt", { maxBytes: 10_000_000 }))?.bytes.byteLength).toBe(1_100_000);
  });

  it("are refused by size before they are read, however large", async () => {
    const folder = (await openStore()).folder("certificates");
    execFileSync("truncate", ["-s", "10G", join(root, "certificates", "huge.pfx")]);
    await expect(folder.read("huge.pfx", { maxBytes: 1_000_000 })).rejects.toMatchObject({ code: "STORE_VALUE_TOO_LARGE" });
  });

  it("stop streaming when told to", async () => {
    const folder = (await openStore()).folder("content");
    await folder.put("a", new Uint8Array(1_000_000));
    const ending = new AbortController();
    const reading = (async () => {
      for await (const chunk of folder.open("a", { signal: ending.signal })) if (chunk.byteLength > 0) ending.abort();
    })();
    await expect(reading).rejects.toMatchObject({ code: "CANCELLED" });
  });
});

describe("watching", () => {
  it.each(["certificates", "config", "content"] as const)(
    "tells a change in %s within 100 ms without a poll, and names the file",
    async (name) => {
      const folder = (await openStore({ pollMs: 600_000 })).folder(name);
      const next = await hintsOf(folder);
      const tookMs: number[] = [];
      for (let round = 0; round < 4; round += 1) {
        const startMs = performance.now();
        await writeFile(join(root, name, `new${round}.txt`), "v");
        await next();
        tookMs.push(performance.now() - startMs);
      }
      expect(Math.min(...tookMs)).toBeLessThan(100);
      await appendFile(join(root, name, "new0.txt"), "in place");
      for (;;) if ((await next()).paths?.includes("new0.txt") === true) break;
    },
  );

  it("survives a folder that vanishes and comes back, and says so both times", async () => {
    const store = await openStore();
    const folder = store.folder("certificates");
    await folder.put("a.pfx", text("a"));
    const next = await hintsOf(folder);
    await rename(join(root, "certificates"), join(root, "away"));
    await next();
    await expect(folder.names()).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
    await rename(join(root, "away"), join(root, "certificates"));
    for (;;) {
      await next();
      const names = await folder.names().catch(() => []);
      if (names.length > 0) break;
    }
    await writeFile(join(root, "certificates", "b.pfx"), "b");
    await next();
    expect([...(await folder.names())].sort()).toEqual(["a.pfx", "b.pfx"]);
  });

  it("waits for a folder that is not there yet", async () => {
    const store = await openStore();
    await rm(join(root, "content"), { recursive: true });
    const next = await hintsOf(store.folder("content"));
    await mkdir(join(root, "content"));
    await next();
    expect(await store.folder("content").names()).toEqual([]);
  });

  it("sees a change deep in content, where no event is asked for, by polling", async () => {
    const store = await openStore();
    const folder = store.folder("content");
    await folder.put("shop/a/b/c/page.html", text("old"));
    const next = await hintsOf(folder);
    await writeFile(join(root, "content", "shop/a/b/c/page.html"), "new");
    await next();
    expect((await folder.read("shop/a/b/c/page.html", { maxBytes: 10 }))?.bytes).toEqual(text("new"));
  });
});
