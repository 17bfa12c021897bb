import { FarmError } from "../../../base/index.ts";
import type { Rev, Store } from "../../contract.ts";
import { keyParts, requireValueSize } from "../../key.ts";
import { newWriteId, seal } from "./envelope.ts";
import type { Outcome } from "./gateway.ts";
import { resolveOutcome } from "./outcome.ts";
import { type EtcdPlace, readGuarded, readWire, revOf, storeEntry } from "./place.ts";
import { base64, entryOf, listOf, objectOf, revisionOf } from "./wire.ts";

const REV = /^[1-9]\d{0,15}$/;

/** Versioned keys. */
export function createEtcdKeys(place: EtcdPlace): Pick<Store, "read" | "write" | "remove"> {
  return {
    async read(key) {
      keyParts(key);
      const entry = await readGuarded(place, key);
      return entry === undefined ? undefined : storeEntry(place, entry);
    },
    async write(key, value, expect) {
      keyParts(key);
      requireValueSize(key, value);
      const id = newWriteId();
      return revOf(await putSealed(place, { key, id, expect }, seal(id, value)));
    },
    async remove(key, expect) {
      keyParts(key);
      await removeMarked(place, { key, id: newWriteId(), expect });
    },
  };
}

/** One change under a comparison. */
interface ChangeWork {
  /** Below `place.keys`. */
  readonly key: string;
  readonly id: string;
  readonly expect: Rev | undefined;
  readonly steps: readonly unknown[];
}

const conflict = (key: string, found: number | undefined, expect: Rev | undefined): FarmError =>
  new FarmError("STORE_CONFLICT", `${key} is at ${found ?? "no version"}, not at ${expect ?? "no version"}`, { facts: { key } });

/** Puts a value that was sealed with `id`, and tells its revision. @throws STORE_CONFLICT @throws STORE_UNKNOWN and what the gateway throws */
export function putSealed(place: EtcdPlace, work: Omit<ChangeWork, "steps">, sealed: Uint8Array): Promise<number> {
  return change(place, { ...work, steps: [{ request_put: { key: base64(place.keys + work.key), value: base64(sealed) } }] });
}

/** Removes a key, leaving `id` as the mark of it. @throws as putSealed */
export async function removeMarked(place: EtcdPlace, work: Omit<ChangeWork, "steps">): Promise<void> {
  const mark = { request_put: { key: base64(place.removal), value: base64(seal(work.id, new Uint8Array())) } };
  await change(place, { ...work, steps: [mark, { request_delete_range: { key: base64(place.keys + work.key) } }] });
}

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
