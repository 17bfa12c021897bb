import { createHash, X509Certificate } from "node:crypto";

import { FarmError, instant, type Clock, type Instant, type Secret } from "../base/index.ts";
import { readCertificateRequest } from "../pki/index.ts";
import type { Store } from "../store/index.ts";
import { certify, type AuthorityKey } from "./authority-folder.ts";
import type { IssuedIdentity } from "./identity-keeper.ts";
import { requireIdentityName } from "./identity-name.ts";
import { forgetOld, listIssued, readToken, writeIssued, writeToken, type IssuedRecord, type TokenRecord } from "./identity-records.ts";
import { digestOf, formatJoinToken, isSecretOf, makeJoinToken, parseJoinToken, type JoinToken } from "./join-token.ts";
import type { Signing } from "./signing.ts";
import { readAuthority, writeRevocation } from "./trust-records.ts";
import type { Identity, IdentityRole } from "./types.ts";

/** What a desk works with. */
export interface DeskParts {
  readonly state: Store;
  readonly clock: Clock;
  /** The admin identity that signs for this process. */
  readonly signing: Signing;
  /** Absent = the key is with another admin: nothing can be certified here. */
  readonly authority?: AuthorityKey;
  /** How long identities are good. */
  readonly lifeMs?: number;
}

/** A token that was made. */
export interface MadeToken {
  /** For the machine that joins; the farm keeps its digest only. */
  readonly token: Secret;
  readonly role: IdentityRole;
  readonly name: string;
  readonly expiresAt: Instant;
  /** Identities of that name that are good already, by serial. */
  readonly already: readonly string[];
}

/** An identity that was issued, and how it stands. */
export interface ListedIdentity extends IssuedRecord {
  readonly state: "good" | "expired" | "revoked";
}

/** Where identities are asked for: tokens, joining, renewal, revocation. */
export interface IdentityDesk {
  /** @throws IDENTITY_NAME_INVALID, IDENTITY_AUTHORITY_KEY_ABSENT, the store's errors */
  makeToken(request: { role: IdentityRole; name: string; ttlMs: number; by: string }): Promise<MadeToken>;
  /** One machine gets one identity for a token. @throws IDENTITY_TOKEN_…, IDENTITY_REQUEST_INVALID, IDENTITY_AUTHORITY_KEY_ABSENT, the store's errors */
  join(token: Secret, requestPem: string): Promise<JoinedIdentity>;
  /** For whoever has proved by TLS to be this. @throws IDENTITY_REVOKED, IDENTITY_REQUEST_INVALID, IDENTITY_AUTHORITY_KEY_ABSENT, the store's errors */
  renew(who: { role: IdentityRole; name: string }, requestPem: string): Promise<IssuedIdentity>;
  /** By role and name; the newest of each first. @throws the store's errors */
  list(): Promise<readonly ListedIdentity[]>;
  /** Revokes every good identity of a name (`web1`, `admin/ops`), or one by serial. @throws IDENTITY_UNKNOWN, USAGE, the store's errors */
  revoke(what: string, why: { by: string; reason: string }): Promise<readonly ListedIdentity[]>;
}

/** What a joining machine is told of itself. */
export interface JoinedIdentity extends IssuedIdentity {
  readonly role: IdentityRole;
  readonly name: string;
}

const MAX_TRIES = 5;

/** The desk of one process with an admin identity. */
export function createIdentityDesk(parts: DeskParts): IdentityDesk {
  return {
    makeToken: (request) => makeToken(parts, request),
    join: (token, requestPem) => join(parts, token, requestPem),
    renew: (who, requestPem) => renew(parts, who, requestPem),
    list: () => list(parts),
    revoke: (what, why) => revoke(parts, what, why),
  };
}

function requireKey({ authority }: DeskParts): AuthorityKey {
  if (authority !== undefined) return authority;
  throw new FarmError("IDENTITY_AUTHORITY_KEY_ABSENT", "this process does not have the key of the farm's authority");
}

async function makeToken(parts: DeskParts, { role, name, ttlMs, by }: Parameters<IdentityDesk["makeToken"]>[0]): Promise<MadeToken> {
  const { state, clock } = parts;
  const { certificatePem, farmId } = requireKey(parts);
  const now = clock.now();
  await forgetOld(state, now);
  const authority = createHash("sha256").update(new X509Certificate(certificatePem).raw).digest("hex");
  const token = makeJoinToken({ role, name: requireIdentityName(name), farmId, authority });
  const expiresAt = instant(now + ttlMs);
  await writeToken(state, token.id, { record: { role, name, digest: digestOf(token.secret), at: now, expiresAt, by }, expect: undefined });
  const already = (await list(parts)).filter((one) => one.role === role && one.name === name && one.state === "good");
  return { token: formatJoinToken(token), role, name, expiresAt, already: already.map(({ serial }) => serial) };
}

async function join(parts: DeskParts, given: Secret, requestPem: string): Promise<JoinedIdentity> {
  const token = parseJoinToken(given);
  const spki = readRequest(requestPem);
  const keyDigest = createHash("sha256").update(spki).digest("hex");
  for (let tries = 1; ; tries += 1) {
    try {
      return await redeem(parts, token, { spki, keyDigest });
    } catch (error) {
      // Somebody else used it meanwhile: the next look says so.
      const isRace = error instanceof FarmError && error.code === "STORE_CONFLICT";
      if (!isRace || tries === MAX_TRIES) throw error;
    }
  }
}

async function redeem(
  parts: DeskParts,
  token: JoinToken,
  { spki, keyDigest }: { spki: Buffer; keyDigest: string },
): Promise<JoinedIdentity> {
  const { state, clock, signing } = parts;
  const authority = requireKey(parts);
  const now = clock.now();
  const found = await readToken(state, token.id);
  const record = checkToken(token, found?.record, { keyDigest, now });
  const { role, name, by } = record;
  const certificatePem = record.used?.certificatePem ?? (await certify(authority, { role, name, spki, now, ...lifeOf(parts) }));
  if (record.used === undefined) {
    await writeToken(state, token.id, { record: { ...record, used: { at: now, keyDigest, certificatePem } }, expect: found?.rev });
  }
  await remember(parts, certificatePem, { role, name, by: `token of ${by}` });
  return { role, name, certificatePem, authorityPem: signing.identity().authorityPem };
}

const lifeOf = ({ lifeMs }: DeskParts): { readonly lifeMs?: number } => (lifeMs === undefined ? {} : { lifeMs });

/** The record of a token that may be used with this key. @throws IDENTITY_TOKEN_UNKNOWN, IDENTITY_TOKEN_USED, IDENTITY_TOKEN_EXPIRED, IDENTITY_TOKEN_NAME_WRONG */
function checkToken(
  token: JoinToken,
  record: TokenRecord | undefined,
  { keyDigest, now }: { keyDigest: string; now: Instant },
): TokenRecord {
  if (record === undefined || !isSecretOf(record.digest, token.secret)) {
    throw new FarmError("IDENTITY_TOKEN_UNKNOWN", `there is no join token ${token.id} in this farm`);
  }
  const { role, name, used, expiresAt } = record;
  const what = `the join token ${token.id} for ${role} ${name}`;
  if (token.role !== role || token.name !== name) {
    throw new FarmError("IDENTITY_TOKEN_NAME_WRONG", `${what} was presented for ${token.role} ${token.name}`);
  }
  if (used !== undefined && used.keyDigest !== keyDigest) {
    throw new FarmError("IDENTITY_TOKEN_USED", `${what} was used at ${new Date(used.at).toISOString()} with another key`);
  }
  if (used === undefined && now >= expiresAt) {
    throw new FarmError("IDENTITY_TOKEN_EXPIRED", `${what} expired at ${new Date(expiresAt).toISOString()}`);
  }
  return record;
}

async function renew(parts: DeskParts, { role, name }: { role: IdentityRole; name: string }, requestPem: string): Promise<IssuedIdentity> {
  const { clock, signing } = parts;
  const authority = requireKey(parts);
  const certificatePem = await certify(authority, { role, name, spki: readRequest(requestPem), now: clock.now(), ...lifeOf(parts) });
  await remember(parts, certificatePem, { role, name, by: "renewal" });
  return { certificatePem, authorityPem: signing.identity().authorityPem };
}

function readRequest(pem: string): Buffer {
  try {
    return readCertificateRequest(pem);
  } catch (cause) {
    throw new FarmError("IDENTITY_REQUEST_INVALID", cause instanceof Error ? cause.message : String(cause), { cause });
  }
}

async function remember(
  { state, clock }: DeskParts,
  certificatePem: string,
  who: Pick<IssuedRecord, "role" | "name" | "by">,
): Promise<void> {
  const { serialNumber, validTo } = new X509Certificate(certificatePem);
  await writeIssued(state, { ...who, serial: serialNumber.toUpperCase(), at: clock.now(), notAfter: instant(Date.parse(validTo)) });
}

async function list({ state, clock, signing }: DeskParts): Promise<readonly ListedIdentity[]> {
  const now = clock.now();
  const stateOf = ({ serial, notAfter }: IssuedRecord): ListedIdentity["state"] => {
    if (signing.revoked.has(serial)) return "revoked";
    return now > notAfter ? "expired" : "good";
  };
  const keyOf = ({ role, name }: IssuedRecord): string => `${role} ${name}`;
  return (await listIssued(state))
    .map((record) => ({ ...record, state: stateOf(record) }))
    .sort((one, other) => keyOf(one).localeCompare(keyOf(other)) || other.at - one.at);
}

async function revoke(parts: DeskParts, what: string, { by, reason }: { by: string; reason: string }): Promise<readonly ListedIdentity[]> {
  const { state, clock, signing } = parts;
  const signer = requireAdmin(signing.identity());
  const meant = choose(await list(parts), what);
  const own = new X509Certificate(signer.certificatePem).serialNumber.toUpperCase();
  if (meant.some(({ serial }) => serial === own)) {
    throw new FarmError("USAGE", `${what} is the identity that would sign its own revocation; revoke it as another admin`);
  }
  for (const { serial, role, name } of meant) {
    await writeRevocation(state, signer, { serial, who: `${role} ${name}`, at: clock.now(), by, reason });
  }
  return meant.map((one) => ({ ...one, state: "revoked" }));
}

function requireAdmin(identity: Identity): Identity {
  if (identity.role === "admin") return identity;
  throw new FarmError("SIGNING_ROLE_WRONG", `${identity.role} ${identity.name} may not revoke identities`);
}

/** Those that a word means: a serial, `ROLE/NAME`, or a name that one role only has. */
function choose(all: readonly ListedIdentity[], what: string): readonly ListedIdentity[] {
  const bySerial = all.filter(({ serial }) => serial === what.toUpperCase());
  if (bySerial.length > 0) return bySerial;
  const byName = all.filter(({ name, role, state }) => state === "good" && (what === name || what === `${role}/${name}`));
  const roles = new Set(byName.map(({ role }) => role));
  if (roles.size > 1)
    throw new FarmError(
      "USAGE",
      `${what} is the name of several identities: write ${[...roles].map((role) => `${role}/${what}`).join(" or ")}`,
    );
  if (byName.length > 0) return byName;
  throw new FarmError("IDENTITY_UNKNOWN", `no good identity is called ${JSON.stringify(what.slice(0, 100))}`);
}

/** The authority in an admin's folder, if it is the one that the store's record names first. @throws IDENTITY_AUTHORITY_ABSENT, IDENTITY_AUTHORITY_OTHER, the store's errors */
export async function requireOwnAuthority(state: Store, authority: AuthorityKey): Promise<void> {
  const record = await readAuthority(state);
  if (record === undefined) throw new FarmError("IDENTITY_AUTHORITY_ABSENT", "the store has no authority");
  if (record.farmId === authority.farmId && record.authorityPem.startsWith(authority.certificatePem.trim())) return;
  throw new FarmError(
    "IDENTITY_AUTHORITY_OTHER",
    `the store's authority (farm ${record.farmId}) is not the one of this folder (farm ${authority.farmId})`,
  );
}
