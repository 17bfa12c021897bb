import { createHash, randomBytes, timingSafeEqual } from "node:crypto";

import { FarmError, Secret } from "../base/index.ts";
import { requireIdentityName } from "./identity-name.ts";
import { IDENTITY_ROLES } from "./join-shapes.ts";
import type { IdentityRole } from "./types.ts";

/** What a join token says to the machine that joins. */
export interface JoinToken {
  /** 16 hexadecimal digits: where the farm keeps what it knows of the token. */
  readonly id: string;
  readonly secret: Secret;
  readonly role: IdentityRole;
  readonly name: string;
  readonly farmId: string;
  /** SHA-256 over the authority's certificate (DER), 64 hexadecimal digits: whom the machine may tell the secret. */
  readonly authority: string;
}

const PREFIX = "certfarm-join-";
const SECRET_BYTES = 32;
const MAX_TEXT = 1_000;

/** A token that nobody had before. */
export const makeJoinToken = (facts: Omit<JoinToken, "id" | "secret">): JoinToken => ({
  ...facts,
  id: randomBytes(8).toString("hex"),
  secret: new Secret(randomBytes(SECRET_BYTES).toString("base64url")),
});

/** The token as one word. */
export function formatJoinToken({ id, secret, role, name, farmId, authority }: JoinToken): Secret {
  const fields = [id, secret.reveal(), role, name, farmId, authority];
  return new Secret(`${PREFIX}${Buffer.from(JSON.stringify(fields)).toString("base64url")}`);
}

/** Reads a token as `certfarm node token` printed it. @throws IDENTITY_TOKEN_MALFORMED, never with the token */
export function parseJoinToken(given: Secret): JoinToken {
  const text = given.reveal().trim();
  if (!text.startsWith(PREFIX) || text.length > MAX_TEXT) throw malformed();
  const [id, secret, role, name, farmId, authority] = fieldsOf(text.slice(PREFIX.length));
  const known = IDENTITY_ROLES.find((one) => one === role);
  if (known === undefined || !isHex(id, 16) || !isHex(farmId, 16) || !isHex(authority, 64)) throw malformed();
  if (typeof secret !== "string" || !/^[\w-]{43}$/.test(secret) || typeof name !== "string") throw malformed();
  return { id, secret: new Secret(secret), role: known, name: requireIdentityName(name), farmId, authority };
}

function fieldsOf(text: string): readonly unknown[] {
  try {
    const fields: unknown = JSON.parse(Buffer.from(text, "base64url").toString("utf8"));
    if (Array.isArray(fields) && fields.length === 6) return fields;
  } catch {
    // told below
  }
  throw malformed();
}

const isHex = (value: unknown, digits: number): value is string =>
  typeof value === "string" && value.length === digits && /^[0-9a-f]+$/.test(value);

const malformed = (): FarmError => new FarmError("IDENTITY_TOKEN_MALFORMED", "the join token is cut off, or is none");

/** What is kept of a token's secret. */
export const digestOf = (secret: Secret): string => createHash("sha256").update(secret.reveal()).digest("hex");

/** Whether a secret is the one of a digest; takes as long for a wrong one. */
export function isSecretOf(digest: string, secret: Secret): boolean {
  const [known, given] = [Buffer.from(digest, "hex"), Buffer.from(digestOf(secret), "hex")];
  return known.length === given.length && timingSafeEqual(known, given);
}
