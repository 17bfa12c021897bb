import { FarmError } from "../../../base/index.ts";

/** A key and its value as etcd has them. */
export interface WireEntry {
  readonly key: string;
  readonly value: Uint8Array;
  readonly revision: number;
}

/** An event of a watch, in the order of revisions. */
export interface WireEvent extends WireEntry {
  readonly removed: boolean;
}

/** A JSON object of a peer: whatever is asked of it may be missing. */
export type Json = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Json => typeof value === "object" && value !== null && !Array.isArray(value);

/** A value as an object; an empty one when it is none (the gateway leaves out what is empty). */
export const objectOf = (value: unknown): Json => (isObject(value) ? value : {});

/** A value as a list; an empty one when it is none. */
export const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

/** A text of JSON as an object; undefined when it is not one. */
export function parseObject(text: string): Json | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** An int64, which the gateway writes as a string and leaves out when it is zero. @throws STORE_CORRUPT */
export function numberOf(value: unknown): number {
  const number = value === undefined ? 0 : Number(value);
  if (!Number.isSafeInteger(number)) throw new FarmError("STORE_CORRUPT", "etcd told a number that is none");
  return number;
}

/** The revision in the header of a reply; 0 when there is none. */
export const revisionOf = (reply: Json): number => numberOf(objectOf(reply["header"])["revision"]);

/** Octets as the gateway writes them. */
export const base64 = (bytes: Uint8Array | string): string =>
  (typeof bytes === "string" ? Buffer.from(bytes, "utf8") : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)).toString(
    "base64",
  );

const bytesOf = (value: unknown): Uint8Array =>
  typeof value === "string" ? Uint8Array.from(Buffer.from(value, "base64")) : new Uint8Array();

/** The key of a `KeyValue` of the gateway. */
export function keyOf(value: unknown): string {
  const key = objectOf(value)["key"];
  return typeof key === "string" ? Buffer.from(key, "base64").toString("utf8") : "";
}

/** A `KeyValue` of the gateway. */
export function entryOf(value: unknown): WireEntry {
  const kv = objectOf(value);
  return {
    key: Buffer.from(bytesOf(kv["key"])).toString("utf8"),
    value: bytesOf(kv["value"]),
    revision: numberOf(kv["mod_revision"]),
  };
}

/** An `Event` of the gateway. */
export function eventOf(value: unknown): WireEvent {
  const event = objectOf(value);
  return { ...entryOf(event["kv"]), removed: event["type"] === "DELETE" };
}

/** All keys that begin with a text that ends in `/`: the text with its last octet one higher ends the range. */
export const rangeBelow = (prefix: string): { readonly key: string; readonly range_end: string } => ({
  key: base64(prefix),
  range_end: base64(`${prefix.slice(0, -1)}0`),
});

/** The id of the cluster in the header of a reply. */
export function clusterOf(reply: Json): string {
  const id = objectOf(reply["header"])["cluster_id"];
  return typeof id === "string" ? id : "";
}
