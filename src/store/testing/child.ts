/**
 * One process over a directory store, for tests: `node child.js ROOT VERB [COUNT]`. Tells what it did as JSON lines.
 */
import { createHash, randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";

import { FarmError, silentLog, systemClock } from "../../base/index.ts";
import { openDirectoryStore, type FarmStore, type Rev } from "../index.ts";

const tell = (fact: object): void => {
  process.stdout.write(`${JSON.stringify(fact)}\n`);
};
const text = (value: string): Uint8Array => new TextEncoder().encode(value);

/** Adds one to `counter` by compare-and-set, `count` times. */
async function increment({ state }: FarmStore, count: number): Promise<void> {
  const expected: (Rev | undefined)[] = [];
  while (expected.length < count) {
    const entry = await state.read("counter");
    try {
      await state.write("counter", text(String(Number(new TextDecoder().decode(entry?.value) || "0") + 1)), entry?.rev);
      expected.push(entry?.rev);
    } catch (error) {
      if (!(error instanceof FarmError) || error.code !== "STORE_CONFLICT") throw error;
    }
  }
  tell({ acked: count, expected });
}

/** Writes values that carry their own digest to three keys in turn until it is killed; tells each number that was acknowledged. */
async function writeForEver({ state }: FarmStore): Promise<void> {
  const revs = new Map<string, Rev | undefined>();
  for (const entry of await state.list("crash")) revs.set(entry.key, entry.rev);
  for (let round = 0; ; round += 1) {
    const key = `crash/${round % 3}`;
    const number = Date.now() * 1000 + (round % 1000);
    const body = Buffer.concat([text(String(number).padStart(20, "0")), randomBytes(20_000)]);
    const value = Buffer.concat([createHash("sha256").update(body).digest(), body]);
    revs.set(key, await state.write(key, value, revs.get(key)));
    tell({ key, number });
  }
}

/** Holds a lease and writes under it until the lease is lost. */
async function holdLease({ state }: FarmStore): Promise<void> {
  const lease = await state.lease("rollout", 500, { signal: new AbortController().signal });
  if (lease === undefined) throw new Error("the lease is taken");
  tell({ fence: String(lease.fence) });
  let rev: Rev | undefined;
  while (!lease.lost.aborted) {
    rev = await state.write("work/holder", text("mine"), rev);
    if (!lease.lost.aborted) tell({ wrote: true });
    await sleep(10);
  }
  tell({ lost: true });
}

/** Writes a small value, then larger ones than the process may write; tells what became of them. */
async function overfill(farm: FarmStore): Promise<void> {
  const { state } = farm;
  const rev = await state.write("k", text("small"), undefined);
  const large = new Uint8Array(100_000);
  const tries = [
    () => state.write("k", large, rev),
    () => state.write("new", large, undefined),
    () => farm.folder("config").put("farm.yaml", large),
    () => state.putBlob(one(large)),
  ];
  for (const attempt of tries) {
    try {
      await attempt();
    } catch (error) {
      tell({ failed: error instanceof FarmError ? error.code : String(error) });
    }
  }
  tell({ kept: new TextDecoder().decode((await state.read("k"))?.value), created: (await state.read("new")) !== undefined });
  await state.write("k", text("again"), rev);
  tell({ again: true });
}

async function* one(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

const [root = "", verb = "", count = "0"] = process.argv.slice(2);
const store = await openDirectoryStore({ root, log: silentLog, clock: systemClock });
if (verb === "increment") await increment(store, Number(count));
else if (verb === "write") await writeForEver(store);
else if (verb === "hold") await holdLease(store);
else if (verb === "overfill") await overfill(store);
await store.close();
