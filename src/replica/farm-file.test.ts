import { expect, it } from "vitest";

import { createMemoryStore } from "../store/index.ts";
import { watchFarmFile } from "./farm-file.ts";
import { sha256 } from "./state-json.ts";

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

it("tells the content that is there, then what a burst of writes settles on, then what cannot be taken", async () => {
  const store = createMemoryStore();
  const config = store.folder("config");
  const stop = new AbortController();
  await config.put("farm.yaml", utf8("a: 1\n"));
  const seen: unknown[] = [];
  for await (const file of watchFarmFile(store, stop.signal)) {
    seen.push(file);
    if (seen.length === 1) for (const text of ["", "a", "a: 2\n"]) await config.put("farm.yaml", utf8(text));
    if (seen.length === 2) await config.put("farm.yaml", new Uint8Array([0xff]));
    if (seen.length === 3) stop.abort();
  }
  expect(seen).toEqual([
    { yaml: "a: 1\n", digest: sha256("a: 1\n") },
    { yaml: "a: 2\n", digest: sha256("a: 2\n") },
    { yaml: "", digest: sha256(new Uint8Array([0xff])), problem: "config/farm.yaml is not UTF-8 text" },
  ]);
});

it("outlives the store", async () => {
  let broken = true;
  const store = createMemoryStore({ faults: () => (broken ? "unavailable" : undefined) });
  const stop = new AbortController();
  setTimeout(() => {
    broken = false;
    void store.folder("config").put("farm.yaml", utf8("a: 1\n"));
  }, 50);
  for await (const { yaml } of watchFarmFile(store, stop.signal)) {
    expect(yaml).toBe("a: 1\n");
    stop.abort();
  }
  expect.assertions(1);
});
