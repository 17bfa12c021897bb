import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { silentLog, systemClock } from "../base/index.ts";
import { createMemoryBacking, createMemoryStore, type FarmStore, type MemoryFault } from "../store/index.ts";
import { createRevisions, type Revisions } from "./revisions.ts";
import { eventually, firstWhere } from "./testing/await-state.ts";

const parts = { clock: systemClock, log: silentLog };
const text = async (store: FarmStore, path: string): Promise<string | undefined> => {
  const read = await store.folder("config").read(path, { maxBytes: 1e6 });
  return read === undefined ? undefined : new TextDecoder().decode(read.bytes);
};

describe("createRevisions", () => {
  let fault: MemoryFault | undefined;
  let faultOn = /^$/;
  let store: FarmStore;
  let revisions: Revisions;
  const backing = () => createMemoryBacking();
  let shared: ReturnType<typeof backing>;
  const stop = new AbortController();

  beforeEach(() => {
    fault = undefined;
    faultOn = /^$/;
    shared = backing();
    store = createMemoryStore({ backing: shared, faults: ({ target }) => (faultOn.test(target) ? fault : undefined) });
    revisions = createRevisions(store, parts);
  });
  afterEach(() => store.close());

  const append = (yaml: string, base: number, by = "ann@pc") => revisions.append({ yaml, by, base });

  it("numbers revisions from 1 and finds each again, also from another process", async () => {
    expect(await revisions.latest()).toBeUndefined();
    await append("a: 1\n", 0);
    await revisions.append({ yaml: "a: 2\n", by: "bob@pc", note: "second", base: 1 });
    const other = createRevisions(createMemoryStore({ backing: shared }), parts);
    expect(await other.latest()).toMatchObject({ number: 2, yaml: "a: 2\n", by: "bob@pc", note: "second" });
    expect(await other.get(1)).toMatchObject({ number: 1, yaml: "a: 1\n" });
    expect(await other.get(3)).toBeUndefined();
    expect((await other.history(10)).map(({ number }) => number)).toEqual([2, 1]);
    expect((await other.history(1)).map(({ number }) => number)).toEqual([2]);
  });

  it("tells the second author who was first, and keeps the first one's text", async () => {
    await append("a: 1\n", 0);
    await append("a: 2\n", 1, "bob@pc");
    await expect(append("a: 3\n", 1)).rejects.toMatchObject({ code: "STORE_CONFLICT", facts: { latest: 2, base: 1, by: "bob@pc" } });
    expect(await revisions.latest()).toMatchObject({ number: 2, yaml: "a: 2\n" });
  });

  it("lets exactly one of eight simultaneous authors win each number", async () => {
    const authors = Array.from({ length: 8 }, (_, author) =>
      createRevisions(createMemoryStore({ backing: shared }), parts).append({ yaml: `a: ${author}\n`, by: `author ${author}`, base: 0 }),
    );
    const outcomes = await Promise.allSettled(authors);
    expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    expect((await revisions.history(10)).map(({ number }) => number)).toEqual([1]);
  });

  it("makes no revision of a text that is the latest already, whatever it started from", async () => {
    await append("a: 1\n", 0);
    expect(await append("a: 1\n", 0)).toMatchObject({ number: 1 });
    expect(await append("a: 1\n", 7)).toMatchObject({ number: 1 });
    expect(await revisions.get(2)).toBeUndefined();
  });

  it("carries texts of over 64 KiB and refuses those over 4 MiB", async () => {
    const large = `# ${"x".repeat(300 * 1024)}\n`;
    await append(large, 0);
    expect((await createRevisions(store, parts).latest())?.yaml).toBe(large);
    await expect(append("x".repeat(4 * 1024 * 1024 + 1), 1)).rejects.toMatchObject({ code: "STORE_VALUE_TOO_LARGE" });
  });

  it("keeps a readable copy whose first line says that editing it changes nothing", async () => {
    await revisions.append({ yaml: "a: 1\n", by: "an\u2028n\u0085: evil", base: 0 });
    const copy = await text(store, "revisions/000001.yaml");
    const [first, ...rest] = copy?.split(/[\n\u0085\u2028]/) ?? [];
    expect(first).toMatch(/^# certfarm revision \{.*"number":1,.*changes nothing/);
    expect(rest.join("\n")).toBe("a: 1\n");
    await store.folder("config").put("revisions/000001.yaml", new TextEncoder().encode("a: evil\n"));
    expect(await createRevisions(store, parts).latest()).toMatchObject({ yaml: "a: 1\n" });
  });

  it("brings farm.yaml up to the new revision", async () => {
    await append("a: 1\n", 0);
    expect(await text(store, "farm.yaml")).toBe("a: 1\n");
    expect(await append("a: 2\n", 1)).toMatchObject({ farmFile: "in-step" });
    expect(await text(store, "farm.yaml")).toBe("a: 2\n");
  });

  it("leaves a farm.yaml alone that somebody edited meanwhile", async () => {
    await append("a: 1\n", 0);
    await store.folder("config").put("farm.yaml", new TextEncoder().encode("a: mine\n"));
    expect(await append("a: 2\n", 1)).toMatchObject({ number: 2, farmFile: "edited" });
    expect(await text(store, "farm.yaml")).toBe("a: mine\n");
  });

  it("counts as made although farm.yaml cannot be written", async () => {
    fault = "unavailable";
    faultOn = /farm\.yaml/;
    expect(await append("a: 1\n", 0)).toMatchObject({ number: 1, farmFile: "later" });
    expect(await revisions.latest()).toMatchObject({ number: 1 });
  });

  it.each([
    ["was applied, the author has the revision", "unknown-applied", 1],
    ["was lost, the author is told that it is unknown", "unknown-lost", undefined],
  ] as const)("when a write without an answer %s", async (_name, kind, number) => {
    fault = kind;
    faultOn = /^revisions\//;
    store = createMemoryStore({
      backing: shared,
      faults: ({ verb, target }) => (verb === "write" && faultOn.test(target) ? fault : undefined),
    });
    revisions = createRevisions(store, parts);
    const outcome = append("a: 1\n", 0);
    if (number === undefined) await expect(outcome).rejects.toMatchObject({ code: "STORE_UNKNOWN" });
    else expect(await outcome).toMatchObject({ number });
  });

  it.each([
    ["is gone", undefined],
    ["is damaged", "{"],
    ["lags behind", `{"number":1}`],
    ["runs ahead", `{"number":9}`],
  ])("finds the latest revision when the hint of its number %s", async (_name, text) => {
    for (let base = 0; base < 3; base += 1) await append(`a: ${base}\n`, base);
    const head = await store.state.read("config-head/latest");
    if (head !== undefined && text === undefined) await store.state.remove(head.key, head.rev);
    if (text !== undefined) await store.state.write("config-head/latest", new TextEncoder().encode(text), head?.rev);
    expect(await createRevisions(store, parts).latest()).toMatchObject({ number: 3 });
  });

  it("names the key of a damaged revision", async () => {
    await append("a: 1\n", 0);
    const entry = await store.state.read("revisions/000001");
    await store.state.write(
      "revisions/000001",
      new TextEncoder().encode(`{"number":1,"digest":"00","yaml":"a: 2","at":1,"by":"x"}`),
      entry?.rev,
    );
    await expect(createRevisions(store, parts).latest()).rejects.toMatchObject({
      code: "STORE_CORRUPT",
      facts: { where: "revisions/000001" },
    });
  });

  it("watches: the latest first, then newer ones, across an outage of the store that it tells", async () => {
    const seen: number[] = [];
    await append("a: 1\n", 0);
    const watching = (async () => {
      for await (const { number } of revisions.watch(stop.signal)) {
        seen.push(number);
        if (number === 1) {
          fault = "unavailable";
          faultOn = /./;
          queueMicrotask(
            () => void createRevisions(createMemoryStore({ backing: shared }), parts).append({ yaml: "a: 2\n", by: "x", base: 1 }),
          );
        }
        if (number === 2) return;
      }
    })();
    const stale = await eventually(() => revisions.staleSince());
    expect(stale).toBeGreaterThan(0);
    fault = undefined;
    await watching;
    expect(seen).toEqual([1, 2]);
    expect(revisions.staleSince()).toBeUndefined();
  });

  it("ends a watch on abort", async () => {
    const own = new AbortController();
    const watching = firstWhere(revisions.watch(own.signal), () => true);
    own.abort();
    await expect(watching).rejects.toThrow("the stream ended");
  });
});
