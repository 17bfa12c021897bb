import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { silentLog, systemClock, type Log } from "../base/index.ts";
import { createMemoryBacking, createMemoryStore, type FarmStore, type MemoryCall } from "../store/index.ts";
import { compile } from "../workers/testing/compile.ts";
import { createContentReplica, type ContentReplica, type ContentReplicaSettings } from "./content-replica.ts";
import { eventually } from "./testing/await-state.ts";
import { filesOf, manifestOf, publishFiles, publishManifest, putFiles } from "./testing/content-fixture.ts";
import { scratchDirectory } from "./testing/scratch.ts";

const ONE = { "index.html": "one", "a/b.txt": "same", "a/c.txt": "old" };
const TWO = { "index.html": "two!", "a/b.txt": "same", "d/e/f.txt": "new" };

let scratch: Awaited<ReturnType<typeof scratchDirectory>>;
let backing = createMemoryBacking();
let broken: (call: MemoryCall) => boolean;
let calls: MemoryCall[];
let store: FarmStore;
let stop: AbortController;

beforeEach(async () => {
  scratch = await scratchDirectory();
  backing = createMemoryBacking();
  broken = () => false;
  calls = [];
  store = createMemoryStore({
    backing,
    faults: (call) => {
      calls.push(call);
      return broken(call) ? "unavailable" : undefined;
    },
  });
  stop = new AbortController();
});
afterEach(async () => {
  stop.abort();
  await scratch.remove();
});

const open = (settings: Partial<ContentReplicaSettings> = {}): Promise<ContentReplica> =>
  createContentReplica({ store, dataDir: scratch.path, log: silentLog, ...settings });
const opened = () => calls.filter(({ verb }) => verb === "open").map(({ target }) => target);

describe("sync", () => {
  it("brings a folder whole to the node's disk, with the manifest's times", async () => {
    const digest = await publishFiles(store, "www", ONE);
    const replica = await open();
    await replica.sync(["www"], stop.signal);
    const tree = replica.tree("www");
    expect(tree?.digest).toBe(digest);
    expect(await filesOf(tree)).toEqual(ONE);
    expect([...(tree?.files.keys() ?? [])].sort()).toEqual(Object.keys(ONE).sort());
    expect((await stat(join(tree?.root ?? "", "index.html"))).mtimeMs).toBe(1_700_000_000_000);
    expect(replica.reports()).toEqual([{ folder: "www", digest, files: 3 }]);
  });

  it("copies only what changed and tells listeners of each switch", async () => {
    const replica = await open();
    const switched: string[] = [];
    const off = replica.onChange((folder) => switched.push(folder));
    await publishFiles(store, "www", ONE);
    await replica.sync(["www"], stop.signal);
    calls = [];
    await publishFiles(store, "www", TWO);
    await replica.sync(["www"], stop.signal);
    expect(opened().sort()).toEqual(["content/www/d/e/f.txt", "content/www/index.html"]);
    expect(await filesOf(replica.tree("www"))).toEqual(TWO);
    calls = [];
    await replica.sync(["www"], stop.signal);
    expect(opened()).toEqual([]);
    expect(switched).toEqual(["www", "www"]);
    off();
  });

  it("takes an empty file and a folder without files", async () => {
    await publishFiles(store, "www", { empty: "" });
    await publishFiles(store, "none", {});
    const replica = await open();
    await replica.sync(["www", "none"], stop.signal);
    expect(await filesOf(replica.tree("www"))).toEqual({ empty: "" });
    expect(await filesOf(replica.tree("none"))).toEqual({});
  });

  it("keeps the former tree when a file is no longer what the manifest says, and goes on with the next manifest", async () => {
    const first = await publishFiles(store, "www", ONE);
    const replica = await open();
    await replica.sync(["www"], stop.signal);
    await publishManifest(store, manifestOf("www", TWO));
    await putFiles(store, "www", { ...TWO, "index.html": "TWO!" });
    await replica.sync(["www"], stop.signal);
    expect(replica.reports()).toMatchObject([{ digest: first, files: 3, problem: expect.stringContaining("index.html") }]);
    expect(await filesOf(replica.tree("www"))).toEqual(ONE);
    await publishManifest(store, manifestOf("www", { ...TWO, "index.html": "TWO!" }));
    await replica.sync(["www"], stop.signal);
    expect(replica.reports()).toEqual([expect.not.objectContaining({ problem: expect.anything() })]);
    expect(await filesOf(replica.tree("www"))).toMatchObject({ "index.html": "TWO!" });
  });

  it.each([
    ["is gone", (): Promise<void> => store.folder("content").remove("www/index.html")],
    ["is longer", (): Promise<void> => putFiles(store, "www", { "index.html": "two! and more" })],
  ])("does not take a file that %s for an outage of the store", async (_name, change) => {
    await publishFiles(store, "www", TWO);
    await change();
    const replica = await open();
    await replica.sync(["www"], stop.signal);
    expect(replica.staleSince()).toBeUndefined();
    expect(replica.reports()).toMatchObject([{ digest: "", files: 0, problem: expect.stringContaining("index.html") }]);
  });

  it("says which folder is not published, and serves the others", async () => {
    await publishFiles(store, "www", ONE);
    const replica = await open();
    await replica.sync(["shop", "www", "../etc"], stop.signal);
    expect(replica.reports()).toMatchObject([
      { folder: "shop", problem: expect.stringContaining("content/shop") },
      { folder: "www", files: 3 },
      { folder: "../etc", problem: expect.any(String) },
    ]);
    expect(replica.tree("../etc")).toBeUndefined();
  });

  it("refuses a manifest whose paths lead out, and writes nothing", async () => {
    await publishManifest(store, manifestOf("www", { "../../evil": "x" }));
    const replica = await open();
    await replica.sync(["www"], stop.signal);
    expect(replica.reports()).toMatchObject([{ digest: "", problem: expect.stringContaining("../../evil") }]);
    expect(await readdir(scratch.path)).not.toContain("evil");
    expect(opened()).toEqual([]);
  });

  it("drops a folder that is no longer wanted", async () => {
    await publishFiles(store, "www", ONE);
    const replica = await open({ graceMs: 0 });
    await replica.sync(["www"], stop.signal);
    await replica.sync([], stop.signal);
    expect(replica.tree("www")).toBeUndefined();
    expect((await open()).tree("www")).toBeUndefined();
    expect(await readdir(join(scratch.path, "content/trees/www"))).toEqual([]);
  });

  it("keeps a replaced tree for its grace, then removes it and what only it had", async () => {
    let nowMs = 0;
    const clock = { ...systemClock, monotonicMs: () => nowMs };
    await publishFiles(store, "www", ONE);
    const replica = await open({ clock, graceMs: 1000 });
    await replica.sync(["www"], stop.signal);
    const former = replica.tree("www");
    await publishFiles(store, "www", TWO);
    await replica.sync(["www"], stop.signal);
    expect(await filesOf(former)).toEqual(ONE);
    nowMs = 1001;
    await replica.sync(["www"], stop.signal);
    await expect(stat(former?.root ?? "")).rejects.toMatchObject({ code: "ENOENT" });
    const pooled = await readdir(join(scratch.path, "content/pool"), { recursive: true });
    expect(pooled.filter((name) => name.includes("-"))).toHaveLength(3);
  });
});

describe("without the store", () => {
  it("serves what the disk has, and says since when it is stale", async () => {
    const digest = await publishFiles(store, "www", ONE);
    await (await open()).sync(["www"], stop.signal);
    broken = () => true;
    const replica = await open();
    expect(await filesOf(replica.tree("www"))).toEqual(ONE);
    await replica.sync(["www"], stop.signal);
    expect(replica.staleSince()).toBeGreaterThan(0);
    expect(replica.reports()).toMatchObject([{ folder: "www", digest, files: 3 }]);
  });

  it("that goes away in the middle keeps the former tree and goes on by itself when it is back", async () => {
    await publishFiles(store, "www", ONE);
    const replica = await open();
    await replica.sync(["www"], stop.signal);
    const watching = replica.watch(stop.signal);
    broken = ({ verb, target }) => verb !== "list" && target.includes("f.txt");
    await publishFiles(createMemoryStore({ backing }), "www", TWO);
    await eventually(() => replica.staleSince());
    expect(await filesOf(replica.tree("www"))).toEqual(ONE);
    broken = () => false;
    await eventually(() => (replica.staleSince() === undefined ? true : undefined));
    expect(await filesOf(replica.tree("www"))).toEqual(TWO);
    stop.abort();
    await watching;
  });
});

describe("the node's disk", () => {
  it.each([
    ["a pointer that names no tree", "current/www", "garbage"],
    ["a manifest that was changed", "manifests/www/*", `{"folder":"www","files":[]}`],
  ])("with %s is told as damaged and mended from the store", async (_name, place, text) => {
    await publishFiles(store, "www", ONE);
    await (await open()).sync(["www"], stop.signal);
    const folder = join(scratch.path, "content", place.replace("/*", ""));
    const path = place.endsWith("*") ? join(folder, (await readdir(folder))[0] ?? "") : folder;
    await writeFile(path, text);
    const replica = await open();
    expect(replica.tree("www")).toBeUndefined();
    await replica.sync(["www"], stop.signal);
    expect(replica.reports()).toEqual([expect.not.objectContaining({ problem: expect.anything() })]);
    expect(await filesOf(replica.tree("www"))).toEqual(ONE);
  });

  it("whose trees cannot be linked to its pool gets copies, with the same times", async () => {
    // On another device where there is one: hard links do not cross devices.
    const other = await mkdtemp(join(existsSync("/dev/shm") ? "/dev/shm" : scratch.path, "certfarm-trees-"));
    await mkdir(join(scratch.path, "content"));
    await symlink(other, join(scratch.path, "content/trees"));
    await publishFiles(store, "www", ONE);
    const replica = await open();
    await replica.sync(["www"], stop.signal);
    expect(await filesOf(replica.tree("www"))).toEqual(ONE);
    expect((await stat(join(replica.tree("www")?.root ?? "", "a/b.txt"))).mtimeMs).toBe(1_700_000_000_000);
    await rm(other, { recursive: true });
  });

  it("without the tree that its pointer names gets it again", async () => {
    await publishFiles(store, "www", ONE);
    await (await open()).sync(["www"], stop.signal);
    await rm(join(scratch.path, "content/trees"), { recursive: true });
    const replica = await open();
    expect(replica.tree("www")).toBeUndefined();
    await replica.sync(["www"], stop.signal);
    expect(await filesOf(replica.tree("www"))).toEqual(ONE);
  });
});

describe("in a process of its own", () => {
  let child: Awaited<ReturnType<typeof compile>> | undefined;
  beforeAll(async () => {
    child = await compile("replica/testing/sync-child.ts");
  });
  afterAll(() => child?.remove());

  /** Runs the child to its end or its kill; true = it was killed. */
  async function run(killAt: number): Promise<boolean> {
    try {
      await promisify(execFile)(process.execPath, [child?.script ?? "", scratch.path, String(killAt), JSON.stringify(TWO)]);
      return false;
    } catch (error) {
      if (error instanceof Error && "signal" in error && error.signal === "SIGKILL") return true;
      throw error;
    }
  }

  it("a disk without room leaves the former tree, and the report says so", async () => {
    const first = await publishFiles(store, "www", ONE);
    await (await open()).sync(["www"], stop.signal);
    const files = { ...TWO, "large.bin": "x".repeat(100_000) };
    // The limit on a file's size (in units of 512 or 1024 bytes) stands in for a disk that is full.
    const command = `ulimit -f 40; exec "$@"`;
    const args = ["-c", command, "sh", process.execPath, child?.script ?? "", scratch.path, "0", JSON.stringify(files)];
    const { stdout } = await promisify(execFile)("sh", args);
    expect(JSON.parse(stdout)).toMatchObject([{ digest: first, files: 3, problem: expect.stringContaining("no room") }]);
    expect(await filesOf((await open()).tree("www"))).toEqual(ONE);
    expect(await readdir(join(scratch.path, "content/incoming")).catch(() => [])).toEqual([]);
  });

  it("a node killed at any step serves the former tree whole until the switch and the new one whole after it, and cleans up", async () => {
    const served: string[] = [];
    for (let killAt = 1; ; killAt += 1) {
      await rm(join(scratch.path, "content"), { recursive: true, force: true });
      const before = createMemoryStore();
      await publishFiles(before, "www", ONE);
      await (await open({ store: before })).sync(["www"], stop.signal);
      if (!(await run(killAt))) break;
      const after = createMemoryStore();
      await publishFiles(after, "www", TWO);
      const replica = await open({ store: after, graceMs: 0 });
      const files = await filesOf(replica.tree("www"));
      expect([ONE, TWO]).toContainEqual(files);
      served.push(files?.["index.html"] ?? "");
      await replica.sync(["www"], stop.signal);
      await replica.sync(["www"], stop.signal);
      expect(await filesOf(replica.tree("www"))).toEqual(TWO);
      expect(await readdir(join(scratch.path, "content/trees/www"))).toHaveLength(1);
      expect(await readdir(join(scratch.path, "content"))).not.toContain("incoming");
    }
    // Two files to copy, each with a step in its middle and at its end; then pooled, built, switched.
    expect(served).toEqual(["one", "one", "one", "one", "one", "one", "two!"]);
  });
});

describe("a full disk", () => {
  it("leaves the former tree and says that there is no room; the rest of the copy does not stay", async () => {
    const first = await publishFiles(store, "www", ONE);
    await (await open()).sync(["www"], stop.signal);
    await publishFiles(store, "www", TWO);
    let full = true;
    const log: Log = {
      ...silentLog,
      debug(_message, facts) {
        if (full && facts?.["step"] === "pooled") throw Object.assign(new Error("ENOSPC: no space left on device"), { code: "ENOSPC" });
      },
    };
    const replica = await open({ log });
    await replica.sync(["www"], stop.signal);
    expect(replica.reports()).toMatchObject([{ digest: first, problem: expect.stringContaining("no room") }]);
    expect(await filesOf(replica.tree("www"))).toEqual(ONE);
    const pooled = await readdir(join(scratch.path, "content/pool"), { recursive: true });
    expect(pooled.filter((name) => name.includes("-"))).toHaveLength(3);
    full = false;
    await replica.sync(["www"], stop.signal);
    expect(await filesOf(replica.tree("www"))).toEqual(TWO);
    expect(await readFile(join(scratch.path, "content/current/www"), "utf8")).toContain(replica.tree("www")?.digest);
  });
});
