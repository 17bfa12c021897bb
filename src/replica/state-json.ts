import { createHash } from "node:crypto";

import { FarmError } from "../base/index.ts";

/** Decoded JSON of a key or a file, not yet trusted. */
export type Fields = Readonly<Record<string, unknown>>;

const UTF8 = new TextDecoder("utf-8", { fatal: true });

/** sha256 in hexadecimal. */
export const sha256 = (data: string | Uint8Array): string => createHash("sha256").update(data).digest("hex");

/** A value as the bytes of its JSON. */
export const encodeJson = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));

/** The JSON object in these bytes. @throws STORE_CORRUPT naming `where` */
export function decodeFields(bytes: Uint8Array, where: string): Fields {
  let value: unknown;
  try {
    value = JSON.parse(UTF8.decode(bytes));
  } catch (cause) {
    throw new FarmError("STORE_CORRUPT", `${where} is not JSON`, { facts: { where }, cause });
  }
  return fieldsOf(value, where);
}

/** @throws STORE_CORRUPT when the value is no object */
export function fieldsOf(value: unknown, where: string): Fields {
  if (!isFields(value)) throw corrupt(where, "an object was expected");
  return value;
}

export const isFields = (value: unknown): value is Fields => typeof value === "object" && value !== null && !Array.isArray(value);

/** @throws STORE_CORRUPT */
export function textField(fields: Fields, name: string, where: string): string {
  const value = fields[name];
  if (typeof value !== "string") throw corrupt(where, `"${name}" is not a text`);
  return value;
}

/** A whole number that is not negative. @throws STORE_CORRUPT */
export function numberField(fields: Fields, name: string, where: string): number {
  const value = fields[name];
  if (typeof value !== "number" || !Number.isFinite(value) || value < 0) throw corrupt(where, `"${name}" is not a number`);
  return value;
}

/** @throws STORE_CORRUPT */
export function listField(fields: Fields, name: string, where: string): readonly unknown[] {
  const value = fields[name];
  if (!Array.isArray(value)) throw corrupt(where, `"${name}" is not a list`);
  return value;
}

export const corrupt = (where: string, problem: string): FarmError =>
  new FarmError("STORE_CORRUPT", `${where} is damaged: ${problem}`, { facts: { where } });
