import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { createLog, silentLog, systemClock } from "../base/index.ts";
import { createMemoryBacking, createMemoryStore, type FarmStore, type MemoryCall } from "../store/index.ts";
import type { Judgement } from "./config-duty.ts";
import { readConfigProblem } from "./config-problem.ts";
import { readPointer } from "./content-pointer.ts";
import { createDuties, type DutiesSettings } from "./duties.ts";
import { readManifest } from "./manifest-blob.ts";
import { createRevisions } from "./revisions.ts";
import { eventually, firstWhere } from "./testing/await-state.ts";

const parts = { clock: systemClock, log: silentLog };
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

let backing = createMemoryBacking();
let store: FarmStore;
let broken: (call: MemoryCall) => boolean;
let stop: AbortController;
let running: Promise<void>[];

beforeEach(() => {
  backing = createMemoryBacking();
  broken = () => false;
  store = createMemoryStore({ backing, faults: (call) => (broken(call) ? "unavailable" : undefined) });
  stop = new AbortController();
  running = [];
});
afterEach(async () => {
  stop.abort();
  await Promise.all(running);
});

function start(settings: Partial<DutiesSettings> = {}): void {
  const judge = async (yaml: string): Promise<Judgement> =>
    yaml.includes("bad") ? { kind: "refuse", problems: [`line 1: ${yaml.trim()}`] } : { kind: "accept" };
  running.push(createDuties({ store, node: "web1", ...parts, judge, settleMs: 20, leaseTtlMs: 400, ...settings }).run(stop.signal));
}

const save = (text: string) => store.folder("config").put("farm.yaml", utf8(text));
const saved = async () => new TextDecoder().decode((await store.folder("config").read("farm.yaml", { maxBytes: 1e6 }))?.bytes);
const revision = (number: number) => firstWhere(createRevisions(store, parts).watch(stop.signal), (seen) => seen.number >= number);
const pointer = async (folder: string) => {
  const entry = await store.state.read(`content/${folder}`);
  return entry === undefined ? undefined : readPointer(undefined, entry);
};

describe("a saved farm.yaml", () => {
  it("becomes a revision when it is accepted", async () => {
    await save("a: 1\n");
    start();
    expect(await revision(1)).toMatchObject({ yaml: "a: 1\n", by: "saved file" });
    await save("a: 2\n");
    expect(await revision(2)).toMatchObject({ yaml: "a: 2\n" });
  });

  it("is refused with its problems, leaves the last good one, and the record goes when it is mended", async () => {
    await save("a: 1\n");
    start();
    await revision(1);
    await save("bad: 1\n");
    expect(await eventually(() => readConfigProblem(store))).toMatchObject({ problems: ["line 1: bad: 1"] });
    expect((await createRevisions(store, parts).latest())?.number).toBe(1);
    await save("a: 3\n");
    await revision(2);
    await eventually(async () => ((await readConfigProblem(store)) === undefined ? true : undefined));
  });

  it.each([
    ["is not UTF-8", new Uint8Array([0x61, 0xff, 0xfe]), "not UTF-8"],
    ["is over 4 MiB", new Uint8Array(4 * 1024 * 1024 + 1).fill(0x61), "larger than"],
  ])("is refused unread when it %s", async (_name, bytes, problem) => {
    start();
    await store.folder("config").put("farm.yaml", bytes);
    const record = await eventually(() => readConfigProblem(store));
    expect(record.problems.join()).toContain(problem);
    expect(await createRevisions(store, parts).latest()).toBeUndefined();
  });

  it("is written anew when it was removed", async () => {
    await createRevisions(store, parts).append({ yaml: "a: 1\n", by: "x", base: 0 });
    await store.folder("config").remove("farm.yaml");
    start();
    await eventually(async () => ((await saved()) === "a: 1\n" ? true : undefined));
  });

  it("does not bring the old text back when the author died between the revision and the file", async () => {
    const revisions = createRevisions(store, parts);
    await revisions.append({ yaml: "a: 1\n", by: "x", base: 0 });
    broken = ({ verb, target }) => verb === "put" && target === "config/farm.yaml";
    await revisions.append({ yaml: "a: 2\n", by: "x", base: 1 });
    expect(await saved()).toBe("a: 1\n");
    broken = () => false;
    start();
    await eventually(async () => ((await saved()) === "a: 2\n" ? true : undefined));
    expect((await revisions.latest())?.number).toBe(2);
  });

  it("is judged again after the store was away", async () => {
    start();
    broken = () => true;
    await createMemoryStore({ backing }).folder("config").put("farm.yaml", utf8("a: 1\n"));
    broken = () => false;
    expect(await revision(1)).toMatchObject({ yaml: "a: 1\n" });
  });

  it("is not taken while the judge fails, and is once it answers", async () => {
    let calls = 0;
    await save("a: 1\n");
    start({
      async judge() {
        calls += 1;
        if (calls < 3) throw new Error("judge is ill");
        return { kind: "accept" };
      },
    });
    await revision(1);
    expect(calls).toBe(3);
  });
});

describe("a judge that never answers", () => {
  it("does not keep the process from ending, nor the content from being published", async () => {
    await save("a: 1\n");
    await store.folder("content").put("www/x", utf8("x"));
    start({ judge: () => new Promise(() => {}) });
    await eventually(() => pointer("www"));
    stop.abort();
    await Promise.all(running);
    expect(await createRevisions(store, parts).latest()).toBeUndefined();
  });
});

describe("content", () => {
  const put = (path: string, text: string) => store.folder("content").put(path, utf8(text));

  it("is published by folder, and again when a file changes", async () => {
    await put("www/index.html", "one");
    await put("www/a/b.txt", "two");
    await put("shop/x", "three");
    await put("beside.txt", "no folder");
    start();
    const first = await eventually(() => pointer("www"));
    expect(first).toMatchObject({ files: 2, bytes: 6 });
    const manifest = await readManifest(store.state, "www", first.digest);
    expect(manifest.files.map(({ path }) => path)).toEqual(["a/b.txt", "index.html"]);
    await eventually(() => pointer("shop"));
    await put("www/index.html", "ONE!");
    const second = await eventually(async () => ((await pointer("www"))?.digest === first.digest ? undefined : pointer("www")));
    expect(second).toMatchObject({ files: 2, bytes: 7 });
    expect((await store.state.list("content")).map(({ key }) => key).sort()).toEqual(["content/shop", "content/www"]);
  });

  it("is not published again when a file is only touched, nor by another process", async () => {
    await put("www/index.html", "one");
    start();
    const first = await eventually(() => pointer("www"));
    await put("www/index.html", "one");
    await put("mark/x", "later");
    await eventually(() => pointer("mark"));
    expect(await pointer("www")).toEqual(first);
    stop.abort();
    await Promise.all(running);
    stop = new AbortController();
    start();
    await put("mark2/x", "later");
    await eventually(() => pointer("mark2"));
    expect(await pointer("www")).toEqual(first);
  });

  it("is not published while a copy is in progress", async () => {
    start({ settleMs: 100 });
    const published = new Set<number>();
    const until = new AbortController();
    const watching = (async () => {
      for await (const change of store.state.watch("content", { signal: until.signal })) {
        if (change.type === "put") published.add(readPointer(undefined, change.entry).files);
      }
    })();
    for (let index = 0; index < 20; index += 1) {
      await put(`www/${index}`, "part");
      await new Promise((resolve) => setTimeout(resolve, 10)); // the pace of the copy is what is tested
    }
    await eventually(async () => ((await pointer("www"))?.files === 20 ? true : undefined));
    until.abort();
    await watching;
    expect([...published]).toEqual([20]);
  });

  it("that cannot be read is never told as empty", async () => {
    await put("www/index.html", "one");
    start();
    const first = await eventually(() => pointer("www"));
    broken = ({ verb, target }) => verb === "walk" && target.startsWith("content");
    await save("a: 1\n");
    await revision(1);
    expect(await pointer("www")).toEqual(first);
  });

  it("with a damaged pointer gets a new one, and no folder keeps the others back", async () => {
    await store.state.write("content/aaa", utf8("{"), undefined);
    broken = ({ verb, target }) => verb === "write" && target === "content/bbb";
    for (const folder of ["aaa", "bbb", "ccc"]) await put(`${folder}/x`, folder);
    start();
    await eventually(() => pointer("ccc"));
    expect(await pointer("aaa")).toMatchObject({ files: 1 });
    broken = () => false;
    await eventually(() => pointer("bbb"));
  });

  it("that is gone keeps its last manifest, says so beside it, and is in order when it is back", async () => {
    await put("www/index.html", "one");
    start();
    const first = await eventually(() => pointer("www"));
    await store.folder("content").remove("www/index.html");
    const gone = await eventually(async () => ((await pointer("www"))?.problem === undefined ? undefined : pointer("www")));
    expect(gone).toMatchObject({ digest: first.digest, files: 1 });
    await put("www/index.html", "one");
    await eventually(async () => ((await pointer("www"))?.problem === undefined ? true : undefined));
    expect((await pointer("www"))?.digest).toBe(first.digest);
  });
});

describe("the lease", () => {
  it("lets one process do the duties, and another go on when it ends", async () => {
    const onDuty: string[] = [];
    const other = new AbortController();
    const second = createMemoryStore({ backing });
    start({ onDuty: (on) => onDuty.push(`one ${on}`) });
    await eventually(() => onDuty[0]);
    const judge = async (): Promise<Judgement> => ({ kind: "accept" });
    const done = createDuties({
      store: second,
      node: "web2",
      ...parts,
      judge,
      leaseTtlMs: 400,
      onDuty: (on) => onDuty.push(`two ${on}`),
    }).run(other.signal);
    await save("a: 1\n");
    await revision(1);
    stop.abort();
    await eventually(() => onDuty.find((line) => line === "two true"));
    other.abort();
    await done;
    expect(onDuty).toEqual(["one true", "one false", "two true", "two false"]);
  });

  it("outlives a store that is away from the start, and tells it once", async () => {
    const lines: string[] = [];
    broken = () => true;
    start({ log: createLog({ write: (line) => lines.push(line), now: () => 0 }) });
    await eventually(() => lines[0]);
    broken = () => false;
    await save("a: 1\n");
    await revision(1);
    expect(lines.filter((line) => line.includes('"what":"duties"') && line.includes("warn"))).toHaveLength(1);
  });

  it("makes the farm's first ticket keys", async () => {
    start();
    await eventually(() => store.state.read("tickets/keys"));
  });
});
