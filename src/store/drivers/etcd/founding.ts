import { FarmError } from "../../../base/index.ts";
import type { Gateway } from "./gateway.ts";
import { readWire } from "./place.ts";
import type { EtcdAddress } from "./url.ts";
import { base64, type Json, parseObject } from "./wire.ts";

/** The form of everything below the prefix. A certfarm refuses higher ones. */
const FORMAT = 1;

/** What binds a prefix of etcd to a farm. */
export interface Founding {
  readonly gateway: Gateway;
  readonly address: EtcdAddress;
  /** The id of the farm whose directory is given beside it. */
  readonly farm: string;
  readonly create: boolean;
}

/**
 * Finds the farm of a prefix, or founds it.
 * @throws STORE_UNAVAILABLE when there is none and none may be made, STORE_OF_ANOTHER_FARM, STORE_NEWER
 */
export async function requireFarm(founding: Founding): Promise<void> {
  const { gateway, address, farm, create } = founding;
  const key = `${address.prefix}/meta/farm`;
  let found = await readMeta(gateway, key);
  if (found === undefined && create) {
    await writeMeta(gateway, key, farm);
    found = await readMeta(gateway, key);
  }
  if (found === undefined) throw new FarmError("STORE_UNAVAILABLE", `${address.text} holds no farm (no key ${key})`, { facts: { key } });
  const { format } = found;
  if (typeof format !== "number" || format > FORMAT)
    throw new FarmError("STORE_NEWER", `${address.text} has form ${String(format)}; this certfarm knows ${FORMAT}`, { facts: { key } });
  if (found["farm"] !== farm)
    throw new FarmError(
      "STORE_OF_ANOTHER_FARM",
      `${address.text} belongs to farm ${String(found["farm"])}, the directory to farm ${farm}`,
      {
        facts: { key },
      },
    );
}

async function readMeta(gateway: Gateway, key: string): Promise<Json | undefined> {
  const entry = await readWire({ gateway }, key);
  if (entry === undefined) return undefined;
  const meta = parseObject(Buffer.from(entry.value).toString("utf8"));
  if (meta === undefined) throw new FarmError("STORE_CORRUPT", `the key ${key} in etcd is damaged`, { facts: { key } });
  return meta;
}

/** Whoever is first founds it; the loser, and who got no answer, reads what is there. */
async function writeMeta(gateway: Gateway, key: string, farm: string): Promise<void> {
  const value = base64(JSON.stringify({ format: FORMAT, farm }));
  await gateway.tell("/v3/kv/txn", {
    compare: [{ key: base64(key), target: "MOD", result: "EQUAL", mod_revision: "0" }],
    success: [{ request_put: { key: base64(key), value } }],
  });
}
