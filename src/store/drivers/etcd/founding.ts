import { randomUUID } from "node:crypto";

import { FarmError } from "../../../base/index.ts";
import type { Gateway } from "./gateway.ts";
import { readWire } from "./place.ts";
import type { EtcdAddress } from "./url.ts";
import { base64, type Json, parseObject } from "./wire.ts";

/** The form of everything below the prefix. A certfarm refuses higher ones. */
const FORMAT = 1;

/** What binds a prefix of etcd to a farm. */
export interface FoundingOptions {
  readonly gateway: Gateway;
  readonly address: EtcdAddress;
  readonly create: boolean;
  /** The farm that it must be, or is founded for; any unless told. */
  readonly farm: string | undefined;
}

/** The farm of a prefix. */
export interface Founding {
  readonly farm: string;
  /** A comparison for transactions that holds while the prefix is this farm's: an etcd that lost everything says "absent" to all else. */
  readonly guard: Json;
}

/**
 * Finds the farm of a prefix, or founds it.
 * @throws STORE_UNAVAILABLE when there is none and none may be made, STORE_OF_ANOTHER_FARM, STORE_NEWER
 */
export async function requireFarm({ gateway, address, create, farm: wanted }: FoundingOptions): Promise<Founding> {
  const key = `${address.prefix}/meta/farm`;
  let found = await readMeta(gateway, key);
  if (found === undefined && create) {
    await writeMeta(gateway, key, wanted ?? randomUUID());
    found = await readMeta(gateway, key);
  }
  if (found === undefined)
    throw new FarmError("STORE_UNAVAILABLE", `${address.text} holds no farm: the prefix is mistyped, or nobody has made it yet`, {
      facts: { key },
    });
  const { format, farm } = found.meta;
  if (typeof format !== "number" || format > FORMAT)
    throw new FarmError("STORE_NEWER", `${address.text} has form ${String(format)}; this certfarm knows ${FORMAT}`, { facts: { key } });
  if (typeof farm !== "string") throw damaged(key);
  if (wanted !== undefined && farm !== wanted)
    throw new FarmError("STORE_OF_ANOTHER_FARM", `${address.text} belongs to farm ${farm}, not to farm ${wanted}`, { facts: { key } });
  const guard = { key: base64(key), target: "VALUE", result: "EQUAL", value: base64(found.bytes) };
  return { farm, guard };
}

const damaged = (key: string): FarmError => new FarmError("STORE_CORRUPT", `the key ${key} in etcd is damaged`, { facts: { key } });

async function readMeta(gateway: Gateway, key: string): Promise<{ readonly meta: Json; readonly bytes: Uint8Array } | undefined> {
  const entry = await readWire({ gateway }, key);
  if (entry === undefined) return undefined;
  const meta = parseObject(Buffer.from(entry.value).toString("utf8"));
  if (meta === undefined) throw damaged(key);
  return { meta, bytes: entry.value };
}

/** Whoever is first founds it; the loser, and who got no answer, reads what is there. */
async function writeMeta(gateway: Gateway, key: string, farm: string): Promise<void> {
  const value = base64(JSON.stringify({ format: FORMAT, farm }));
  await gateway.tell("/v3/kv/txn", {
    compare: [{ key: base64(key), target: "MOD", result: "EQUAL", mod_revision: "0" }],
    success: [{ request_put: { key: base64(key), value } }],
  });
}
