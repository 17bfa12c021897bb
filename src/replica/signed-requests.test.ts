import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { instant, silentLog, systemClock, type Clock } from "../base/index.ts";
import { signAs, type Signing } from "../identity/index.ts";
import { makeTestAuthority, type TestAuthority } from "../identity/testing/test-identities.ts";
import { createMemoryBacking, createMemoryStore, type FarmStore } from "../store/index.ts";
import { createRequestRefusals, type RequestRefusals } from "./request-refusals.ts";
import { encodeRequest } from "./request-record.ts";
import { createRequests } from "./requests.ts";
import { eventually } from "./testing/await-state.ts";

const HOUR = 3_600_000;
let authority: TestAuthority;
let ann: Signing;
let web1: Signing;
let web2: Signing;
beforeAll(async () => {
  authority = await makeTestAuthority();
  [ann, web1, web2] = await Promise.all([
    authority.signing("admin", "ann"),
    authority.signing("node", "web1"),
    authority.signing("node", "web2"),
  ]);
});

let store: FarmStore;
let backing: ReturnType<typeof createMemoryBacking>;
let stop: AbortController;
let refusals: RequestRefusals;
let serving: Promise<void>[];
let carriedOut: unknown[];
/** Looks of nodes at their requests. */
let looks: number;
beforeEach(() => {
  backing = createMemoryBacking();
  looks = 0;
  store = createMemoryStore({
    backing,
    faults({ verb, target }) {
      if (verb === "list" && target === "requests/web1") looks += 1;
      return undefined;
    },
  });
  stop = new AbortController();
  refusals = createRequestRefusals({ clock: systemClock, log: silentLog });
  serving = [];
  carriedOut = [];
});
afterEach(async () => {
  stop.abort();
  await Promise.all(serving);
});

/** A process of web1 that serves until the test, or the process, ends. */
function serve({
  signing = web1,
  clock = systemClock,
  node = "web1",
}: { signing?: Signing | undefined; clock?: Clock; node?: string } = {}): AbortController {
  const end = new AbortController();
  const signal = AbortSignal.any([stop.signal, end.signal]);
  const handler = async (verb: string, input: unknown): Promise<unknown> => {
    carriedOut.push(input);
    return { verb };
  };
  const served = signing === undefined ? {} : { signing };
  serving.push(createRequests(store, { clock, log: silentLog, refusals, ...served }).serve(node, handler, signal));
  return end;
}
const send = (
  signing: Signing | undefined,
  settings: { clock?: Clock; node?: string; timeoutMs?: number; through?: FarmStore } = {},
): Promise<unknown> => {
  const { clock = systemClock, node = "web1", timeoutMs = 10_000, through = createMemoryStore({ backing }) } = settings;
  return createRequests(through, { clock, log: silentLog, signing }).send(
    node,
    "table.add",
    { row: 1 },
    { timeoutMs, signal: stop.signal },
  );
};
const codeOf = (asked: Promise<unknown>): Promise<unknown> =>
  asked.then(
    () => "answered",
    (error: unknown) => error,
  );
const nothingLeft = (): Promise<unknown> =>
  eventually(async () =>
    [...(await store.state.list("requests")), ...(await store.state.list("answers"))].length === 0 ? true : undefined,
  );

describe("in a farm with identities", () => {
  it("an admin's request is carried out once, and nothing stays in the store", async () => {
    serve();
    expect(await send(ann)).toEqual({ verb: "table.add" });
    expect(carriedOut).toEqual([{ row: 1 }]);
    expect(refusals.show().total).toBe(0);
    await nothingLeft();
  });

  it("clocks that are wrong by an hour hinder no request", async () => {
    const skewed = (ms: number): Clock => ({ ...systemClock, now: () => instant(systemClock.now() + ms) });
    serve({ clock: skewed(HOUR) });
    expect(await send(ann, { clock: skewed(-HOUR / 2) })).toEqual({ verb: "table.add" });
  });

  it.each<[string, string, () => Promise<Signing | undefined>]>([
    ["nobody", "unsigned", async () => undefined],
    ["a node", "role", async () => web2],
    ["an admin of another authority", "untrusted", async () => (await makeTestAuthority(authority.farmId)).signing("admin", "ann")],
    ["an admin of another farm", "other-farm", async () => (await makeTestAuthority("ffffffffffffffff")).signing("admin", "ann")],
    ["a revoked admin", "revoked", revokedAdmin],
    ["an admin whose identity has expired", "expired", () => authority.signing("admin", "old", { notAfter: instant(Date.now() - 1_000) })],
  ])("a request of %s is refused, told to its sender, counted, and not carried out", async (_name, reason, who) => {
    serve();
    const signing = await who();
    // Who has no identity of this farm cannot verify the node's answer either: it believes it, or says that it does not.
    const error = await codeOf(send(signing));
    expect(error).toMatchObject({ code: expect.stringMatching(/^(?:REQUEST|ANSWER)_REFUSED$/) as string });
    expect(refusals.show()).toMatchObject({ total: 1, byReason: { [reason]: 1 }, last: [{ reason }] });
    expect(carriedOut).toEqual([]);
  });

  it("a request for another node is refused when somebody moves it", async () => {
    serve();
    const asked = codeOf(send(ann, { node: "web2", timeoutMs: 1_500 }));
    const entry = await eventually(async () => (await store.state.list("requests/web2"))[0]);
    await store.state.write(entry.key.replace("web2", "web1"), entry.value, undefined);
    await eventually(async () => (refusals.show().total > 0 ? true : undefined));
    expect(refusals.show().byReason).toEqual({ "other-recipient": 1 });
    expect(await asked).toMatchObject({ code: "NODE_NO_ANSWER" });
  });

  it("whatever was signed before is carried out never again: by the same process, by the next, or by one that was down meanwhile", async () => {
    const first = serve();
    const recorded: Recorded[] = [];
    await send(ann, { through: recording(createMemoryStore({ backing }), recorded) });
    expect(carriedOut).toHaveLength(1);
    expect(recorded).toHaveLength(2);

    await oneMoreLook(); // from here on the key is a new one for the node
    await replay(recorded);
    await eventually(async () => (refusals.show().byReason.replayed === 1 ? true : undefined));
    first.abort();
    await serving[0];
    await clear();

    await replay(recorded); // while nobody serves
    serve();
    expect(await send(ann)).toEqual({ verb: "table.add" });
    await clear();
    await oneMoreLook();
    await replay(recorded);
    await eventually(async () => (refusals.show().byReason.replayed === 2 ? true : undefined));
    expect(carriedOut).toHaveLength(2);
  });

  it("an answer that somebody else writes in the node's name is not believed", async () => {
    for (const forger of [undefined, web2, ann]) {
      const asked = codeOf(send(ann));
      const { key } = await eventually(async () => (await store.state.list("requests/web1"))[0]);
      const id = key.slice("requests/web1/".length);
      const body = new TextEncoder().encode(JSON.stringify({ state: "done", output: "forged" }));
      const value =
        forger === undefined
          ? body
          : signAs(forger, { kind: "answer", to: "farm", id, issuedAt: systemClock.now(), notAfter: undefined, body });
      await store.state.write(`answers/web1/${id}`, value, undefined);
      expect(await asked).toMatchObject({ code: "ANSWER_REFUSED", facts: { node: "web1" } });
    }
  });

  it("a true answer to another request is not taken for this one's", async () => {
    const asked = codeOf(send(ann));
    const { key } = await eventually(async () => (await store.state.list("requests/web1"))[0]);
    const body = new TextEncoder().encode(JSON.stringify({ state: "done", output: "of yesterday" }));
    const value = signAs(web1, { kind: "answer", to: "farm", id: "another", issuedAt: systemClock.now(), notAfter: undefined, body });
    await store.state.write(key.replace("requests", "answers"), value, undefined);
    expect(await asked).toMatchObject({ code: "ANSWER_REFUSED", facts: { reason: "replayed" } });
  });

  it("a flood of forged requests is answered within bounds and removed", async () => {
    serve();
    const forged = encodeRequest({ verb: "table.add", input: {}, timeoutMs: 60_000, confirmed: true });
    await Promise.all(Array.from({ length: 150 }, (_, index) => store.state.write(`requests/web1/f${index}`, forged, undefined)));
    await eventually(async () => (refusals.show().total >= 150 ? true : undefined));
    expect((await store.state.list("answers/web1")).length).toBeLessThanOrEqual(100);
    expect(refusals.show().last.length).toBe(50);
    expect(await send(ann)).toEqual({ verb: "table.add" });
  });
});

it("a node that has not joined does nothing for a signed request, and its answer is not taken for a node's of the farm", async () => {
  const end = new AbortController();
  serving.push(
    createRequests(store, { clock: systemClock, log: silentLog }).serve(
      "web1",
      async (_verb, input) => carriedOut.push(input),
      AbortSignal.any([stop.signal, end.signal]),
    ),
  );
  expect(await codeOf(send(ann))).toMatchObject({ code: "ANSWER_REFUSED", facts: { reason: "unsigned" } });
  expect(carriedOut).toEqual([]);
});

async function revokedAdmin(): Promise<Signing> {
  const bob = await authority.signing("admin", "bob");
  const { X509Certificate } = await import("node:crypto");
  authority.revoked.add(new X509Certificate(bob.identity().certificatePem).serialNumber.toUpperCase());
  return bob;
}

interface Recorded {
  readonly key: string;
  readonly value: Uint8Array;
}

/** The store, with everything kept that is written through it. */
function recording(through: FarmStore, into: Recorded[]): FarmStore {
  const write: FarmStore["state"]["write"] = (key, value, expect) => {
    into.push({ key, value });
    return through.state.write(key, value, expect);
  };
  const state = Object.assign(Object.create(through.state) as FarmStore["state"], { write }); // everything else is the store's
  return Object.assign(Object.create(through) as FarmStore, { state });
}

/** The last one is the one with the node's challenge. */
async function replay(recorded: readonly Recorded[]): Promise<void> {
  const last = recorded.at(-1);
  if (last !== undefined) await store.state.write(last.key, last.value, undefined);
}

async function oneMoreLook(): Promise<void> {
  const before = looks;
  await eventually(async () => (looks > before + 1 ? true : undefined));
}

async function clear(): Promise<void> {
  for (const prefix of ["requests", "answers"])
    for (const { key, rev } of await store.state.list(prefix)) await store.state.remove(key, rev);
}
