import { X509Certificate } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";

import { instant, silentLog, systemClock, type Clock } from "../base/index.ts";
import type { Signing } from "../identity/index.ts";
import { makeTestAuthority, type TestAuthority } from "../identity/testing/test-identities.ts";
import { createMemoryBacking, createMemoryStore, type FarmStore } from "../store/index.ts";
import { createDrains } from "./drains.ts";
import { createLastGood } from "./last-good.ts";
import { revisionKey } from "./revision-record.ts";
import { createRevisions, type Revisions } from "./revisions.ts";
import { signFarm } from "./sign-farm.ts";
import { encodeJson, sha256 } from "./state-json.ts";
import type { Revision } from "./types.ts";

const parts = { clock: systemClock, log: silentLog };
let authority: TestAuthority;
let ann: Signing;
let bob: Signing;
let web1: Signing;
beforeAll(async () => {
  authority = await makeTestAuthority();
  [ann, bob, web1] = await Promise.all([
    authority.signing("admin", "ann"),
    authority.signing("admin", "bob"),
    authority.signing("node", "web1"),
  ]);
});

let store: FarmStore;
let admin: Revisions;
beforeEach(() => {
  store = createMemoryStore();
  authority.revoked.clear();
  admin = createRevisions(store, { ...parts, signing: ann });
});

const nodeView = (applied?: Revision): Revisions => createRevisions(store, { ...parts, signing: web1, applied });
const serialOf = (signing: Signing): string => new X509Certificate(signing.identity().certificatePem).serialNumber.toUpperCase();

/** A revision as somebody writes it who can write into the store and has no admin's key. */
function forge(number: number, yaml: string, at = systemClock.now()): Promise<unknown> {
  const record = encodeJson({ number, yaml, digest: sha256(yaml), at, by: "ann@here", signer: "ann", signerSerial: serialOf(ann) });
  return store.state.write(revisionKey(number), record, undefined);
}

describe("in a farm with identities", () => {
  it("a revision says which admin signed it, also when its text is a blob", async () => {
    const made = await admin.append({ yaml: "a: 1", by: "ann@here", base: 0 });
    expect(made).toMatchObject({ number: 1, signer: "ann", signerSerial: serialOf(ann) });
    await admin.append({ yaml: `b: ${"x".repeat(100_000)}`, by: "ann@here", base: 1 });
    expect(await nodeView().latest()).toMatchObject({ number: 2, signer: "ann" });
    expect((await nodeView().history(5)).map(({ signer }) => signer)).toEqual(["ann", "ann"]);
  });

  it.each<[string, string, () => Promise<unknown>]>([
    ["nobody signed", "it is not signed", () => forge(2, "evil: 1")],
    ["is no JSON", "is not JSON", () => store.state.write(revisionKey(2), new TextEncoder().encode("{"), undefined)],
    ["a node signed", "only a process with the role admin may", () => forceAppend(web1)],
    [
      "an admin of another authority signed",
      "not signed by an authority",
      async () => forceAppend(await (await makeTestAuthority(authority.farmId)).signing("admin", "ann")),
    ],
    [
      "a revoked admin signed",
      "was revoked",
      async () => {
        await createRevisions(store, { ...parts, signing: bob }).append({ yaml: "evil: 1", by: "bob", base: 1 });
        authority.revoked.add(serialOf(bob));
      },
    ],
    [
      "is an earlier one under the next number",
      "it says that it is revision 1",
      async () => {
        const first = await store.state.read(revisionKey(1));
        if (first !== undefined) await store.state.write(revisionKey(2), first.value, undefined);
      },
    ],
  ])("a revision that %s is not applied: the last good one goes on, and it is told why", async (_name, why, write) => {
    await admin.append({ yaml: "good: 1", by: "ann@here", base: 0 });
    await write();
    const node = nodeView();
    expect(await node.latest()).toMatchObject({ number: 1, yaml: "good: 1" });
    expect(node.refusal()).toContain("revision 2 is refused");
    expect(node.refusal()).toContain(why);
    // Nobody is kept from changing the farm by it.
    const next = await admin.append({ yaml: "good: 2", by: "ann@here", base: 1 });
    expect(next.number).toBe(3);
    expect(await node.latest()).toMatchObject({ number: 3, yaml: "good: 2" });
    expect(node.refusal()).toBeUndefined();
    expect((await node.history(3)).map(({ number, refused }) => [number, refused !== undefined])).toEqual([
      [3, false],
      [2, true],
      [1, false],
    ]);
  });

  it("a false word of the latest number, or false numbers far above, keep no node from what was signed", async () => {
    await admin.append({ yaml: "good: 1", by: "ann@here", base: 0 });
    await forge(9_000, "evil: 1");
    const head = await store.state.read("config-head/latest");
    await store.state.write("config-head/latest", encodeJson({ number: 9_000 }), head?.rev);
    expect(await nodeView().latest()).toMatchObject({ number: 1 });
  });

  it("what was applied is not taken back by putting an earlier store in place, until an admin signs again", async () => {
    const backing = createMemoryBacking();
    store = createMemoryStore({ backing });
    admin = createRevisions(store, { ...parts, signing: ann });
    await admin.append({ yaml: "v: 1", by: "ann@here", base: 0 });
    const running = nodeView();
    const second = await admin.append({ yaml: "v: 2", by: "ann@here", base: 1 });
    expect(await running.latest()).toMatchObject({ number: 2 });
    await setBackTo(1);

    const restarted = nodeView(second);
    for (const node of [running, restarted]) {
      expect(await node.latest()).toBeUndefined();
      expect(node.refusal()).toMatch(/revision 1 is refused: it was signed before revision 2 /);
    }
    const again = await createRevisions(store, { ...parts, signing: ann }).append({ yaml: "v: 1", by: "ann@here", base: 1, anew: true });
    expect(again.number).toBe(2);
    for (const node of [running, restarted]) expect(await node.latest()).toMatchObject({ number: 2, yaml: "v: 1" });
  });

  it("what a revoked admin signed holds nothing up, whatever moment it names", async () => {
    const ahead: Clock = { ...systemClock, now: () => instant(systemClock.now() + 3_600_000) };
    const later = await createRevisions(store, { ...parts, clock: ahead, signing: bob }).append({ yaml: "bob: 1", by: "bob", base: 0 });
    authority.revoked.add(serialOf(bob));
    expect(await nodeView(later).latest()).toBeUndefined();
    await admin.append({ yaml: "ann: 1", by: "ann", base: 0 });
    expect(await nodeView(later).latest()).toMatchObject({ yaml: "ann: 1" });
  });

  it("each revision is later than the one before, though the second admin's clock is an hour behind", async () => {
    const behind: Clock = { ...systemClock, now: () => instant(systemClock.now() - 1_800_000) };
    const first = await admin.append({ yaml: "v: 1", by: "ann", base: 0 });
    const second = await createRevisions(store, { ...parts, clock: behind, signing: bob }).append({ yaml: "v: 2", by: "bob", base: 1 });
    expect(second.at).toBeGreaterThan(first.at);
    expect(await nodeView(first).latest()).toMatchObject({ number: 2, signer: "bob" });
  });

  it("the last good revision keeps its signer on the node's disk", async () => {
    const dataDir = await mkdtemp(join(tmpdir(), "certfarm-signed-"));
    const made = await admin.append({ yaml: "v: 1", by: "ann", base: 0 });
    const lastGood = createLastGood({ dataDir });
    await lastGood.save(made);
    expect(await lastGood.load()).toMatchObject({ kind: "found", revision: { signer: "ann", signerSerial: serialOf(ann) } });
    await rm(dataDir, { recursive: true });
  });

  it("who has no identity, or not that of an admin, is told so before anything is written", async () => {
    await store.state.write("identity/trust/authority", new TextEncoder().encode("any"), undefined);
    for (const signing of [undefined, web1]) {
      const mine = createRevisions(store, { ...parts, signing });
      await expect(mine.append({ yaml: "v: 1", by: "x", base: 0 })).rejects.toMatchObject({ code: "SIGNING_ROLE_WRONG" });
      await expect(createDrains(store, { ...parts, signing }).set("web1", "x")).rejects.toMatchObject({ code: "SIGNING_ROLE_WRONG" });
    }
    expect(await store.state.list("revisions")).toEqual([]);
  });

  it("a drain counts when an admin signed it for that node, and a false one keeps no real one out", async () => {
    const drains = createDrains(store, { ...parts, signing: ann });
    const seen = createDrains(store, { ...parts, signing: web1 });
    await store.state.write("drains/web1", encodeJson({ by: "x", at: 1 }), undefined);
    expect(await seen.list()).toEqual([]);
    await drains.set("web1", "ann");
    expect(await seen.list()).toMatchObject([{ node: "web1", by: "ann" }]);
    const signed = await store.state.read("drains/web1");
    if (signed !== undefined) await store.state.write("drains/web2", signed.value, undefined);
    expect((await seen.list()).map(({ node }) => node)).toEqual(["web1"]);
  });
});

describe("a farm that gets its identities", () => {
  it("goes on with its latest revision and its drains, signed; once", async () => {
    const before = createRevisions(store, parts);
    await before.append({ yaml: "v: 1", by: "saved file", base: 0 });
    await before.append({ yaml: "v: 2", by: "saved file", base: 1 });
    await createDrains(store, parts).set("web2", "ann");
    expect(await nodeView().latest()).toBeUndefined();
    const request = { ...parts, store, signing: ann, by: "ann@here" };
    expect(await signFarm({ ...request, when: "first" })).toEqual({ revision: 3, drains: ["web2"] });
    expect(await nodeView().latest()).toMatchObject({ number: 3, yaml: "v: 2", signer: "ann" });
    expect((await createDrains(store, { ...parts, signing: web1 }).list()).map(({ node }) => node)).toEqual(["web2"]);
    await forge(4, "evil: 1");
    expect(await signFarm({ ...request, when: "first" })).toEqual({ drains: [] });
    expect(await nodeView().latest()).toMatchObject({ number: 3 });
  });

  it("has its state signed anew by another admin, so that the first one can be revoked", async () => {
    await admin.append({ yaml: "v: 1", by: "ann", base: 0 });
    await createDrains(store, { ...parts, signing: ann }).set("web2", "ann");
    expect(await signFarm({ ...parts, store, signing: bob, by: "bob", when: "anew" })).toEqual({ revision: 2, drains: ["web2"] });
    authority.revoked.add(serialOf(ann));
    expect(await nodeView().latest()).toMatchObject({ number: 2, yaml: "v: 1", signer: "bob" });
    expect(await createDrains(store, { ...parts, signing: web1 }).list()).toHaveLength(1);
  });
});

/** What a node would have to do to append: signs as itself without being asked. */
async function forceAppend(signing: Signing): Promise<void> {
  const identity = signing.identity();
  const posing: Signing = { ...signing, identity: () => ({ ...identity, role: "admin" }), revoked: new Set() };
  const yaml = "evil: 1";
  const { writeSaying } = await import("./farm-statement.ts");
  const at = systemClock.now();
  const body = encodeJson({ number: 2, yaml, digest: sha256(yaml), at, by: "x" });
  await store.state.write(revisionKey(2), writeSaying(posing, { kind: "revision", id: "2", at, body }), undefined);
}

/** Removes everything above a number, and the word of it, as a restored backup would. */
async function setBackTo(number: number): Promise<void> {
  for (const { key, rev } of await store.state.list("revisions")) if (key > revisionKey(number)) await store.state.remove(key, rev);
  const head = await store.state.read("config-head/latest");
  await store.state.write("config-head/latest", encodeJson({ number }), head?.rev);
}
