import { FarmError } from "../../../base/index.ts";
import type { Entry, Rev } from "../../contract.ts";
import { unseal } from "./envelope.ts";
import type { Gateway } from "./gateway.ts";
import type { Answer } from "./patience.ts";
import { base64, clusterOf, entryOf, type Json, listOf, objectOf, revisionOf, type WireEntry } from "./wire.ts";

/** Where a farm's keys lie in etcd. */
export interface EtcdPlace {
  readonly gateway: Gateway;
  /** Holds while the prefix is this farm's. */
  readonly guard: Json;
  /** Ends in `/`; a key of the store follows. */
  readonly keys: string;
  /** Holds the id of the last removal, so that an unanswered one is found in the history. */
  readonly removal: string;
}

/** A revision as the contract has it. */
export const revOf = (revision: number): Rev => String(revision) as Rev; // the brand's one maker in this driver

/** An entry as the contract has it. @throws STORE_CORRUPT */
export function storeEntry(place: EtcdPlace, entry: WireEntry): Entry {
  const key = entry.key.slice(place.keys.length);
  return { key, value: unseal(key, entry.value).value, rev: revOf(entry.revision) };
}

/** The present entry of a key of etcd, at the time of the call or later. */
export async function readWire(place: Pick<EtcdPlace, "gateway">, wireKey: string, revision = 0): Promise<WireEntry | undefined> {
  const answer = await place.gateway.ask("/v3/kv/range", { key: base64(wireKey), revision: String(revision) });
  if (answer.kind === "compacted") return undefined;
  if (answer.kind === "too-large") throw new FarmError("STORE_VALUE_TOO_LARGE", `${wireKey} is larger than certfarm writes`);
  const [first] = listOf(answer.json["kvs"]);
  return first === undefined ? undefined : entryOf(first);
}

/** The present entry of a key below `place.keys`; absence is believed while the prefix is this farm's. @throws STORE_UNAVAILABLE */
export async function readGuarded(place: EtcdPlace, key: string): Promise<(WireEntry & { readonly cluster: string }) | undefined> {
  const answer = await askGuarded(place, { range: { key: base64(place.keys + key) } });
  if (answer.kind !== "done") throw new FarmError("STORE_VALUE_TOO_LARGE", `${place.keys}${key} is larger than certfarm writes`);
  const [first] = listOf(answer.json["kvs"]);
  return first === undefined ? undefined : { ...entryOf(first), cluster: clusterOf(answer.json) };
}

/** The revision of the cluster now, told by a majority. @throws STORE_UNAVAILABLE */
export async function readClusterRevision(place: EtcdPlace): Promise<number> {
  return (await readHead(place)).revision;
}

/** The cluster and its revision now. @throws STORE_UNAVAILABLE */
export async function readHead(place: EtcdPlace): Promise<{ readonly revision: number; readonly cluster: string }> {
  const answer = await askGuarded(place, { range: { key: base64(place.removal), keys_only: true } });
  if (answer.kind !== "done") throw new FarmError("INTERNAL", "etcd did not tell its revision");
  return { revision: revisionOf(answer.json), cluster: clusterOf(answer.json) };
}

/** The request of a range, and how much may come back. */
export interface RangeCall {
  readonly range: Json;
  readonly maxBytes?: number;
}

/**
 * A range that is only believed while the prefix is this farm's: a list that is empty, or a key that is absent, because etcd was set up
 * anew must not be taken for the farm's. The first page of a list is enough: later ones are of the same revision.
 * @throws STORE_UNAVAILABLE
 */
export async function askGuarded({ gateway, guard }: EtcdPlace, { range, maxBytes }: RangeCall): Promise<Answer> {
  const answer = await gateway.ask("/v3/kv/txn", { compare: [guard], success: [{ request_range: range }] }, maxBytes);
  if (answer.kind !== "done") return answer;
  const { json } = answer;
  if (json["succeeded"] !== true)
    throw new FarmError("STORE_UNAVAILABLE", "etcd no longer holds this farm: its data was lost or replaced; restore it from a backup");
  const response = objectOf(objectOf(listOf(json["responses"])[0])["response_range"]);
  return { kind: "done", json: { ...response, header: json["header"] } };
}
