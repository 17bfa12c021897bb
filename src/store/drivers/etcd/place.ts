import { FarmError } from "../../../base/index.ts";
import type { Entry, Rev } from "../../contract.ts";
import { unseal } from "./envelope.ts";
import type { Gateway } from "./gateway.ts";
import { base64, entryOf, listOf, revisionOf, type WireEntry } from "./wire.ts";

/** Where a farm's keys lie in etcd. */
export interface EtcdPlace {
  readonly gateway: Gateway;
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

/** The revision of the cluster now, told by a majority. @throws STORE_UNAVAILABLE */
export async function readClusterRevision(place: EtcdPlace): Promise<number> {
  const answer = await place.gateway.ask("/v3/kv/range", { key: base64(place.removal), keys_only: true });
  return answer.kind === "done" ? revisionOf(answer.json) : 0;
}
