import { afterEach, expect, it } from "vitest";

import { silentLog, systemClock } from "../base/index.ts";
import type { Signing } from "../identity/index.ts";
import { makeTestAuthority } from "../identity/testing/test-identities.ts";
import { createMemoryBacking, createMemoryStore } from "../store/index.ts";
import { pointerKey, readPointer } from "./content-pointer.ts";
import { createDuties } from "./duties.ts";
import { createRevisions } from "./revisions.ts";
import { eventually } from "./testing/await-state.ts";
import { putFiles } from "./testing/content-fixture.ts";

const parts = { clock: systemClock, log: silentLog };
const stop = new AbortController();
const running: Promise<void>[] = [];
afterEach(async () => {
  stop.abort();
  await Promise.all(running);
});

it("a saved farm.yaml becomes a revision by an admin's process alone, and content is published by it", async () => {
  const authority = await makeTestAuthority();
  const [ann, web1] = await Promise.all([authority.signing("admin", "ann"), authority.signing("node", "web1")]);
  const backing = createMemoryBacking();
  let looks = 0;
  const store = createMemoryStore({
    backing,
    faults({ verb, target }) {
      if (verb === "read" && target === "identity/trust/authority") looks += 1;
      return undefined;
    },
  });
  const run = (signing: Signing | undefined): void => {
    const duties = createDuties({ ...parts, store, node: "any", signing, judge: async () => ({ kind: "accept" }), settleMs: 50 });
    running.push(duties.run(stop.signal));
  };
  await store.state.write("identity/trust/authority", new TextEncoder().encode("any"), undefined);
  await store.folder("config").put("farm.yaml", new TextEncoder().encode("farm: saved\n"));
  await putFiles(store, "www", { "index.html": "saved" });

  run(undefined); // a node that has not joined
  await eventually(() => (looks > 0 ? true : undefined));
  expect(await createRevisions(store, parts).latest()).toBeUndefined();

  run(ann);
  const node = createRevisions(createMemoryStore({ backing }), { ...parts, signing: web1 });
  expect(await eventually(() => node.latest())).toMatchObject({ by: "saved file", signer: "ann", yaml: "farm: saved\n" });
  const pointer = await eventually(() => store.state.read(pointerKey("www")));
  expect(readPointer(web1, pointer).files).toBe(1);
}, 30_000);
