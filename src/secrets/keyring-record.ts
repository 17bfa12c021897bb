import { FarmError } from "../base/index.ts";
import { MAX_GENERATIONS, type FarmKeyEntry, type Generation, type Keyring, type WrappedKey } from "./keyring.ts";

/** Where the keyring is in the store. */
export const KEYRING_KEY = "secrets/keyring";

const MAX_FARM_KEYS = 8;
const MAX_TEXT = 200;

type Fields = Readonly<Record<string, unknown>>;

/** The value of the state key. */
export const encodeKeyring = (keyring: Keyring): Uint8Array => new TextEncoder().encode(JSON.stringify(keyring));

/** @throws SECRETS_KEYRING_DAMAGED, SECRETS_NEWER */
export function decodeKeyring(value: Uint8Array): Keyring {
  const fields = fieldsOf(parse(value), "it");
  const form = wholeOf(fields, "form");
  if (form > 1) throw new FarmError("SECRETS_NEWER", `${KEYRING_KEY} has form ${form}; this version reads up to 1`);
  return {
    form: 1,
    farm: textOf(fields, "farm"),
    current: wholeOf(fields, "current"),
    generations: listOf(fields, "generations", MAX_GENERATIONS).map(generationOf),
    farmKeys: listOf(fields, "farmKeys", MAX_FARM_KEYS).map(farmKeyOf),
  };
}

const generationOf = (fields: Fields): Generation => ({
  generation: wholeOf(fields, "generation"),
  madeAt: wholeOf(fields, "madeAt"),
  wraps: listOf(fields, "wraps", MAX_FARM_KEYS).map((wrap): WrappedKey => ({
    farmKey: textOf(wrap, "farmKey"),
    sealed: textOf(wrap, "sealed"),
  })),
});

const farmKeyOf = (fields: Fields): FarmKeyEntry => ({
  id: textOf(fields, "id"),
  addedAt: wholeOf(fields, "addedAt"),
  proof: textOf(fields, "proof"),
});

function parse(value: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(value));
  } catch {
    throw damaged("it is not JSON");
  }
}

function fieldsOf(value: unknown, what: string): Fields {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw damaged(`${what} is no object`);
  return value as Fields; // looked at just now
}

function textOf(fields: Fields, name: string): string {
  const value = fields[name];
  if (typeof value !== "string" || value.length > MAX_TEXT) throw damaged(`"${name}" is no short text`);
  return value;
}

function wholeOf(fields: Fields, name: string): number {
  const value = fields[name];
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0) throw damaged(`"${name}" is no whole number`);
  return value;
}

function listOf(fields: Fields, name: string, most: number): readonly Fields[] {
  const value = fields[name];
  if (!Array.isArray(value) || value.length > most) throw damaged(`"${name}" is no list of at most ${most}`);
  return value.map((item) => fieldsOf(item, name));
}

const damaged = (problem: string): FarmError => new FarmError("SECRETS_KEYRING_DAMAGED", `${KEYRING_KEY}: ${problem}`);
