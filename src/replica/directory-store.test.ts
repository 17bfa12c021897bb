/** The room over a directory store: real files, several processes' handles, a store that vanishes. */
import { appendFile, mkdir, open as openFile, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { afterEach, beforeEach, expect, it } from "vitest";

import { silentLog, systemClock } from "../base/index.ts";
import { openDirectoryStore, type FarmStore } from "../store/index.ts";
import { readConfigProblem } from "./config-problem.ts";
import { createContentReplica, type ContentReplica } from "./content-replica.ts";
import { createDuties } from "./duties.ts";
import { createRequests } from "./requests.ts";
import { createRevisions } from "./revisions.ts";
import { eventually, firstWhere } from "./testing/await-state.ts";
import { filesOf } from "./testing/content-fixture.ts";
import { scratchDirectory } from "./testing/scratch.ts";
import { createTicketKeys } from "./ticket-keys.ts";

const parts = { clock: systemClock, log: silentLog };
let scratch: Awaited<ReturnType<typeof scratchDirectory>>;
let root: string;
let stop: AbortController;
let loops: Promise<void>[];
let stores: FarmStore[];

beforeEach(async () => {
  scratch = await scratchDirectory();
  root = join(scratch.path, "store");
  stop = new AbortController();
  loops = [];
  stores = [];
});
afterEach(async () => {
  stop.abort();
  await Promise.all(loops);
  for (const store of stores) await store.close();
  await scratch.remove();
});

async function open(): Promise<FarmStore> {
  const store = await openDirectoryStore({ root, ...parts, pollMs: 50 });
  stores.push(store);
  return store;
}

/** A node's share of the room: the duties when it is its turn, and the content. */
async function startNode(name: string): Promise<{ store: FarmStore; content: ContentReplica }> {
  const store = await open();
  const judge = async (yaml: string) =>
    yaml.includes("bad") ? ({ kind: "refuse", problems: ["bad"] } as const) : ({ kind: "accept" } as const);
  loops.push(createDuties({ store, node: name, ...parts, judge, settleMs: 100, leaseTtlMs: 1_000 }).run(stop.signal));
  const content = await createContentReplica({ store, dataDir: join(scratch.path, name), log: silentLog });
  await content.sync(["www"], stop.signal);
  loops.push(content.watch(stop.signal));
  return { store, content };
}

async function put(path: string, text: string): Promise<void> {
  await mkdir(join(root, path, ".."), { recursive: true });
  await writeFile(join(root, path), text);
}

const served = (content: ContentReplica, wanted: Record<string, string>) =>
  eventually(
    async () => (JSON.stringify(sorted(await filesOf(content.tree("www")))) === JSON.stringify(sorted(wanted)) ? true : undefined),
    20_000,
  );
const sorted = (files: Readonly<Record<string, string>> | undefined) =>
  Object.entries(files ?? {}).sort(([one], [other]) => (one < other ? -1 : 1));

it("files copied into content reach every node, changes and removals too", async () => {
  const nodes = [await startNode("web1"), await startNode("web2")];
  await put("content/www/index.html", "one");
  await put("content/www/a/b c.txt", "two");
  await put("content/www/ünï.txt", "three");
  for (const { content } of nodes) await served(content, { "index.html": "one", "a/b c.txt": "two", "ünï.txt": "three" });
  await put("content/www/index.html", "ONE");
  await rm(join(root, "content/www/a"), { recursive: true });
  for (const { content } of nodes) await served(content, { "index.html": "ONE", "ünï.txt": "three" });
  expect(new Set(nodes.map(({ content }) => content.tree("www")?.digest)).size).toBe(1);
});

it("a file that still grows is not published half-written", async () => {
  await put("content/www/index.html", "start");
  const { content } = await startNode("web1");
  await served(content, { "index.html": "start" });
  const seen = new Set<string>();
  content.onChange(() => {
    const tree = content.tree("www");
    if (tree !== undefined) loops.push(filesOf(tree).then((files) => void seen.add(files?.["log.txt"] ?? "")));
  });
  const file = await openFile(join(root, "content/www/log.txt"), "w");
  let text = "";
  for (let line = 0; line < 25; line += 1) {
    text += `line ${line}\n`;
    await file.write(`line ${line}\n`);
    await new Promise((resolve) => setTimeout(resolve, 20)); // the pace of the writer is what is tested
  }
  await file.close();
  await served(content, { "index.html": "start", "log.txt": text });
  expect([...seen]).toEqual([text]);
});

it("a store that vanishes takes no content away; what was saved meanwhile comes when it is back", async () => {
  await put("content/www/index.html", "one");
  await put("config/farm.yaml", "a: 1\n");
  const { store, content } = await startNode("web1");
  await served(content, { "index.html": "one" });
  await firstWhere(createRevisions(store, parts).watch(stop.signal), ({ number }) => number === 1);
  const digest = content.tree("www")?.digest;
  await rename(root, `${root}.away`);
  await mkdir(root); // an empty mount point
  await content.sync(["www"], stop.signal);
  expect(content.staleSince()).toBeGreaterThan(0);
  expect(content.tree("www")?.digest).toBe(digest);
  expect(await filesOf(content.tree("www"))).toEqual({ "index.html": "one" });
  await rm(root, { recursive: true });
  await writeFile(join(`${root}.away`, "content/www/index.html"), "two");
  await writeFile(join(`${root}.away`, "config/farm.yaml"), "a: 2\n");
  await rename(`${root}.away`, root);
  await served(content, { "index.html": "two" });
  expect(content.staleSince()).toBeUndefined();
  await firstWhere(createRevisions(store, parts).watch(stop.signal), ({ number }) => number === 2);
});

it("a saved farm.yaml becomes a revision that people can read, a bad one a record", async () => {
  const { store } = await startNode("web1");
  await put("config/farm.yaml", "a: 1\n");
  const revisions = createRevisions(store, parts);
  await firstWhere(revisions.watch(stop.signal), ({ yaml }) => yaml === "a: 1\n");
  await appendFile(join(root, "config/farm.yaml"), "bad: 1\n");
  expect(await eventually(() => readConfigProblem(store))).toMatchObject({ problems: ["bad"] });
  await revisions.append({ yaml: "a: 3\n", by: "ann", base: 1 });
  expect(await readFile(join(root, "config/farm.yaml"), "utf8")).toBe("a: 1\nbad: 1\n");
  expect(await readFile(join(root, "config/revisions/000002.yaml"), "utf8")).toMatch(/^# certfarm revision \{"number":2,.*\}\na: 3\n$/);
});

it("two processes that append at once: one revision, one conflict that names the other", async () => {
  const [one, other] = [createRevisions(await open(), parts), createRevisions(await open(), parts)];
  const outcomes = await Promise.allSettled([
    one.append({ yaml: "a: 1\n", by: "ann", base: 0 }),
    other.append({ yaml: "a: 2\n", by: "bob", base: 0 }),
  ]);
  const [won, lost] = outcomes[0]?.status === "fulfilled" ? outcomes : outcomes.toReversed();
  expect(won).toMatchObject({ status: "fulfilled", value: { number: 1 } });
  expect(lost).toMatchObject({ status: "rejected", reason: { code: "STORE_CONFLICT", facts: { latest: 1 } } });
});

it("requests and ticket keys pass from one process to another", async () => {
  const [node, admin] = [await open(), await open()];
  loops.push(createRequests(node, parts).serve("web1", async (verb) => ({ verb }), stop.signal));
  expect(await createRequests(admin, parts).send("web1", "explain", {}, { timeoutMs: 10_000, signal: stop.signal })).toEqual({
    verb: "explain",
  });
  const maker = createTicketKeys({ store: node, ...parts });
  await maker.rotateIfDue({ lost: stop.signal });
  expect(await firstWhere(createTicketKeys({ store: admin, ...parts }).watch(stop.signal), () => true)).toEqual(maker.current());
});
