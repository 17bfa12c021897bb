import { randomBytes } from "node:crypto";

import { FarmError, Secret } from "../base/index.ts";
import type { Store } from "../store/index.ts";

/** A password of certificate files that the whole farm uses. */
export interface SharedPassword {
  readonly id: string;
  /** File names or a pattern with `*` and `?`; absent = every file. */
  readonly files?: string;
  readonly by: string;
  readonly at: number;
  readonly password: Secret;
}

/** A shared password as it may be shown. */
export type ShownPassword = Omit<SharedPassword, "password">;

const PREFIX = "passwords";
/** Each may cost a full key derivation for each file. */
const MAX_PASSWORDS = 64;

/**
 * The farm's passwords. `state` is that of a sealing store: it never keeps them in the clear.
 * @throws STORE_CORRUPT, those of opening sealed values
 */
export async function listSharedPasswords(state: Store): Promise<readonly SharedPassword[]> {
  const entries = await state.list(PREFIX);
  return entries.map(({ key, value }) => decode(key.slice(PREFIX.length + 1), value)).sort((a, b) => a.at - b.at);
}

/** @throws SECRETS_KEY_NEEDED when nothing can be sealed here, USAGE when there are too many */
export async function addSharedPassword(state: Store, given: Omit<SharedPassword, "id">): Promise<ShownPassword> {
  if ((await state.list(PREFIX)).length >= MAX_PASSWORDS)
    throw new FarmError("USAGE", `the farm has ${MAX_PASSWORDS} passwords already; remove one`);
  const { password, ...shown } = given;
  const id = randomBytes(4).toString("hex");
  const value = new TextEncoder().encode(JSON.stringify({ ...shown, password: password.reveal() }));
  await state.write(`${PREFIX}/${id}`, value, undefined);
  return { id, ...shown };
}

/** @throws SECRETS_PASSWORD_UNKNOWN, STORE_CONFLICT */
export async function removeSharedPassword(state: Store, id: string): Promise<void> {
  const entry = /^[0-9a-f]{8}$/.test(id) ? await state.read(`${PREFIX}/${id}`) : undefined;
  if (entry === undefined) throw new FarmError("SECRETS_PASSWORD_UNKNOWN", `the store has no password ${JSON.stringify(id.slice(0, 40))}`);
  await state.remove(entry.key, entry.rev);
}

function decode(id: string, value: Uint8Array): SharedPassword {
  const { password, files, by, at } = parse(id, value);
  if (typeof password !== "string" || typeof by !== "string" || typeof at !== "number") throw corrupt(id);
  return { id, by, at, password: new Secret(password), ...(typeof files === "string" ? { files } : {}) };
}

function parse(id: string, value: Uint8Array): Readonly<Record<string, unknown>> {
  try {
    return JSON.parse(Buffer.from(value).toString("utf8")) as Readonly<Record<string, unknown>>; // each part is looked at
  } catch {
    // The parser's own message may quote what it could not read.
    throw corrupt(id);
  }
}

const corrupt = (id: string): FarmError =>
  new FarmError("STORE_CORRUPT", `passwords/${id} is damaged`, { facts: { key: `passwords/${id}` } });
