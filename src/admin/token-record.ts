import { z } from "zod";

import { instant, type Instant } from "../base/index.ts";

/** What a token may be. */
export const TOKEN_ROLES = ["viewer", "operator", "admin"] as const;

/** One of TOKEN_ROLES. */
export type TokenRole = (typeof TOKEN_ROLES)[number];

/** A token as the store has it: what it proves itself by is there as a digest only. */
export interface TokenRecord {
  /** 16 hexadecimal digits; a part of the token, and no secret. */
  readonly id: string;
  readonly name: string;
  readonly role: TokenRole;
  /** SHA-256 of id and secret in hexadecimal; the secret has 256 random bits, so there is nothing to be guessed. */
  readonly digest: string;
  /** Who made it. */
  readonly by: string;
  readonly at: Instant;
  readonly expiresAt?: Instant;
}

const shape = z.object({
  name: z.string(),
  role: z.enum(TOKEN_ROLES),
  digest: z.string().regex(/^[0-9a-f]{64}$/),
  by: z.string(),
  at: z.number(),
  expiresAt: z.exactOptional(z.number()),
});

/** The octets of a record. */
export function writeTokenRecord({ id: _id, ...record }: TokenRecord): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(record));
}

/** The record in these octets; undefined = it is none, and nobody's token. */
export function tokenRecordIn(id: string, value: Uint8Array): TokenRecord | undefined {
  try {
    const { at, expiresAt, ...rest } = shape.parse(JSON.parse(new TextDecoder().decode(value)));
    return { id, ...rest, at: instant(at), ...(expiresAt === undefined ? {} : { expiresAt: instant(expiresAt) }) };
  } catch {
    return undefined;
  }
}
