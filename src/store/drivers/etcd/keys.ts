import { FarmError } from "../../../base/index.ts";
import type { Rev, Store } from "../../contract.ts";
import { keyParts, requireValueSize } from "../../key.ts";
import { newWriteId, seal } from "./envelope.ts";
import type { Outcome } from "./gateway.ts";
import { resolveOutcome } from "./outcome.ts";
import { type EtcdPlace, readWire, revOf, storeEntry } from "./place.ts";
import { base64, entryOf, listOf, objectOf, revisionOf } from "./wire.ts";

const REV = /^[1-9]\d{0,15}$/;

/** Versioned keys. */
export function createEtcdKeys(place: EtcdPlace): Pick<Store, "read" | "write" | "remove"> {
  return {
    async read(key) {
      keyParts(key);
      const entry = await readWire(place, place.keys + key);
      return entry === undefined ? undefined : storeEntry(place, entry);
    },
    async write(key, value, expect) {
      keyParts(key);
      requireValueSize(key, value);
      const id = newWriteId();
      const put = { request_put: { key: base64(place.keys + key), value: base64(seal(id, value)) } };
      return revOf(await change(place, { key, id, expect, steps: [put] }));
    },
    async remove(key, expect) {
      keyParts(key);
      const id = newWriteId();
      const mark = { request_put: { key: base64(place.removal), value: base64(seal(id, new Uint8Array())) } };
      const removal = { request_delete_range: { key: base64(place.keys + key) } };
      await change(place, { key, id, expect, steps: [mark, removal] });
    },
  };
}

interface ChangeWork {
  readonly key: string;
  readonly id: string;
  readonly expect: Rev | undefined;
  readonly steps: readonly unknown[];
}

const conflict = (key: string, found: number | undefined, expect: Rev | undefined): FarmError =>
  new FarmError("STORE_CONFLICT", `${key} is at ${found ?? "no version"}, not at ${expect ?? "no version"}`, { facts: { key } });

/** Compares, changes and tells the revision; an outcome that no answer told is looked for in the history. */
async function change(place: EtcdPlace, work: ChangeWork): Promise<number> {
  const { key, id, expect } = work;
  // What is no revision of etcd can be no version of the key.
  if (expect !== undefined && !REV.test(expect)) throw conflict(key, (await readWire(place, place.keys + key))?.revision, expect);
  const wireKey = place.keys + key;
  const since = place.gateway.seen;
  const outcome = await place.gateway.tell("/v3/kv/txn", {
    compare: [{ key: base64(wireKey), target: "MOD", result: "EQUAL", mod_revision: expect ?? "0" }],
    success: work.steps,
    failure: [{ request_range: { key: base64(wireKey), keys_only: true } }],
  });
  if (outcome.kind === "done") return requireSuccess(outcome, work);
  const expected = expect === undefined ? undefined : Number(expect);
  const found = await resolveOutcome(place, { key: wireKey, id, expected, since, isRemoval: work.steps.length > 1 });
  if (found.kind === "applied") return found.revision;
  if (found.kind === "refused") throw conflict(key, found.revision, expect);
  throw new FarmError("STORE_UNKNOWN", `${key} was sent but its outcome is unknown (${outcome.problem})`, { facts: { key } });
}

function requireSuccess(outcome: Extract<Outcome, { kind: "done" }>, { key, expect }: ChangeWork): number {
  const { json } = outcome;
  if (json["succeeded"] === true) return revisionOf(json);
  const [first] = listOf(objectOf(objectOf(listOf(json["responses"])[0])["response_range"])["kvs"]);
  throw conflict(key, first === undefined ? undefined : entryOf(first).revision, expect);
}
