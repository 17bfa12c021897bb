import { z } from "zod";

import { FarmError, instant } from "../base/index.ts";
import type { Entry, Rev, Store } from "../store/index.ts";
import { IDENTITY_ROLES } from "./join-shapes.ts";

const ISSUED_PREFIX = "identity/issued";
const TOKENS_PREFIX = "identity/tokens";

const moment = z.number().transform(instant);
const role = z.enum(IDENTITY_ROLES);

const issuedShape = z.object({
  serial: z.string(),
  role,
  name: z.string(),
  at: moment,
  notAfter: moment,
  /** Who had it made. */
  by: z.string(),
});

/** A certificate that the authority signed. Facts for people: what holds is the certificate. */
export type IssuedRecord = z.output<typeof issuedShape>;

const tokenShape = z.object({
  role,
  name: z.string(),
  /** SHA-256 of the secret, hexadecimal. */
  digest: z.string(),
  at: moment,
  expiresAt: moment,
  by: z.string(),
  /** For which key it was used (SHA-256 over the SubjectPublicKeyInfo), and what was answered: asked again with that key, the same comes. */
  used: z.object({ at: moment, keyDigest: z.string(), certificatePem: z.string() }).optional(),
});

/** What the farm knows of a join token. */
export type TokenRecord = z.output<typeof tokenShape>;

/** Keeps that a certificate was signed; done twice it is as good as once. @throws the store's errors */
export async function writeIssued(state: Store, record: IssuedRecord): Promise<void> {
  const key = `${ISSUED_PREFIX}/${record.serial}`;
  if ((await state.read(key)) === undefined) await state.write(key, encode(record), undefined);
}

/** Every certificate that was signed and is remembered. @throws the store's errors, STORE_CORRUPT */
export async function listIssued(state: Store): Promise<readonly IssuedRecord[]> {
  return (await state.list(ISSUED_PREFIX)).map((entry) => decode(issuedShape, entry));
}

/** @throws the store's errors, STORE_CORRUPT */
export async function readToken(state: Store, id: string): Promise<{ readonly record: TokenRecord; readonly rev: Rev } | undefined> {
  const entry = await state.read(`${TOKENS_PREFIX}/${id}`);
  return entry === undefined ? undefined : { record: decode(tokenShape, entry), rev: entry.rev };
}

/** @throws STORE_CONFLICT when another one wrote it meanwhile, and the store's errors */
export async function writeToken(
  state: Store,
  id: string,
  { record, expect }: { record: TokenRecord; expect: Rev | undefined },
): Promise<void> {
  await state.write(`${TOKENS_PREFIX}/${id}`, encode(record), expect);
}

/** How long what is over is remembered. */
const REMEMBERED_MS = 30 * 24 * 3_600_000;
/** At most so many are forgotten at a time. */
const MAX_FORGOTTEN = 200;

/** Forgets tokens and certificates that ended long ago. @throws the store's errors */
export async function forgetOld(state: Store, now: number): Promise<void> {
  const over = [
    ...(await state.list(TOKENS_PREFIX)).filter((entry) => isOver(decode(tokenShape, entry).expiresAt, now)),
    ...(await state.list(ISSUED_PREFIX)).filter((entry) => isOver(decode(issuedShape, entry).notAfter, now)),
  ];
  for (const { key, rev } of over.slice(0, MAX_FORGOTTEN)) await state.remove(key, rev);
}

const isOver = (end: number, now: number): boolean => end + REMEMBERED_MS < now;

const encode = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value));

function decode<T>(shape: z.ZodType<T>, { key, value }: Entry): T {
  try {
    return shape.parse(JSON.parse(Buffer.from(value).toString("utf8")));
  } catch (cause) {
    throw new FarmError("STORE_CORRUPT", `${key} is damaged: it is no record of an identity`, { facts: { where: key }, cause });
  }
}
