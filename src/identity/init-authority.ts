import { createHash, createPublicKey, X509Certificate } from "node:crypto";

import { FarmError, instant, type Clock, type Instant, type Secret } from "../base/index.ts";
import type { Rev, Store } from "../store/index.ts";
import { certify, checkAuthority, makeAuthority, openAuthority, saveAuthority, type AuthorityKey } from "./authority-folder.ts";
import { openIdentity, saveIdentity } from "./identity-folder.ts";
import { makeIdentityKey } from "./identity-key.ts";
import { requireIdentityName } from "./identity-name.ts";
import { writeIssued } from "./identity-records.ts";
import { readAuthority, writeAuthority, type AuthorityRecord } from "./trust-records.ts";
import type { Identity } from "./types.ts";
import { splitAuthorities, verifyIdentity } from "./verify-identity.ts";

/** What `certfarm init` is told. */
export interface InitRequest {
  /** The admin's folder. */
  readonly dir: string;
  readonly state: Store;
  readonly clock: Clock;
  /** Name of the first admin. */
  readonly name: string;
  /** An authority that was made elsewhere: its certificate, and its key in PKCS#8, SEC 1 or PKCS#1 without encryption; PEM. */
  readonly given?: { readonly certificatePem: string; readonly keyPem: Secret };
  readonly lifeMs?: number;
}

/** What became of it. */
export interface InitOutcome {
  /** `unchanged`: everything was there already. */
  readonly kind: "made" | "unchanged" | "replaced" | "retired";
  readonly farmId: string;
  readonly name: string;
  /** SHA-256 over the authority's certificate (DER), upper-case hexadecimal. */
  readonly fingerprint: string;
  /** How many authorities are trusted now. */
  readonly trusted: number;
}

/**
 * Makes the farm's authority in `dir`, the first admin's identity, and the store's record of it; goes on where an earlier run ended.
 * @throws IDENTITY_AUTHORITY_OTHER when the store has another authority, IDENTITY_AUTHORITY_UNSUITABLE, IDENTITY_FOLDER_UNUSABLE, the store's errors
 */
export async function initAuthority(request: InitRequest): Promise<InitOutcome> {
  const { dir, state, clock, given } = request;
  requireIdentityName(request.name);
  const record = await readAuthority(state);
  const kept = await openAuthority(dir, clock.now());
  if (record !== undefined && !names(record, kept)) throw otherAuthority(record, dir);
  if (kept !== undefined && given !== undefined && !isSame(kept.certificatePem, given.certificatePem)) {
    throw new FarmError("IDENTITY_AUTHORITY_OTHER", `${dir} has another authority than the one that was given`);
  }
  const authority = kept ?? (await newAuthority(request));
  const authorityPem = record?.authorityPem ?? authority.certificatePem;
  const { identity, isNew } = await ensureAdmin(request, authority, authorityPem);
  if (record === undefined) await publishFirst(request, identity, authority);
  return outcome(record === undefined || isNew ? "made" : "unchanged", { authority, name: identity.name, authorityPem });
}

/**
 * Puts another authority in the present one's place. The present admin identity in `dir` signs for the new one, so that every process trusts
 * both until `retireAuthority`; with `rejoin` nothing is signed by it and every process has to join again.
 * @throws IDENTITY_AUTHORITY_ABSENT, IDENTITY_REFUSED without a good admin identity, and as `initAuthority`
 */
export async function replaceAuthority(request: InitRequest & { readonly rejoin: boolean }): Promise<InitOutcome> {
  const { dir, state, clock, rejoin } = request;
  const record = await readAuthority(state);
  if (record === undefined) throw new FarmError("IDENTITY_AUTHORITY_ABSENT", "the store has no authority that could be replaced");
  const signer = rejoin ? undefined : await requireAdmin(dir, record, clock);
  const authority = await nextAuthority(request, record);
  const before = rejoin ? "" : String(splitAuthorities(record.authorityPem)[0]);
  const authorityPem = `${authority.certificatePem}${before}`;
  const next = { generation: record.generation + 1, authorityPem, expect: record.rev };
  if (signer !== undefined) await publish(request, signer, next);
  const { identity } = await ensureAdmin({ ...request, name: signer?.name ?? request.name }, authority, authorityPem);
  if (signer === undefined) await publish(request, identity, next);
  return outcome("replaced", { authority, name: identity.name, authorityPem });
}

/** An authority in the folder that the store does not name yet is what an earlier run left. */
async function nextAuthority(request: InitRequest, record: AuthorityRecord): Promise<AuthorityKey> {
  const kept = await openAuthority(request.dir, request.clock.now()).catch(() => undefined); // one that has expired is replaced too
  const isBegun = kept?.farmId === record.farmId && !names(record, kept);
  return isBegun ? kept : newAuthority(request, record.farmId);
}

/** Trusts the present authority alone again. @throws IDENTITY_AUTHORITY_ABSENT, IDENTITY_AUTHORITY_OTHER, IDENTITY_REFUSED, the store's errors */
export async function retireAuthority(request: InitRequest): Promise<InitOutcome> {
  const { dir, state, clock } = request;
  const record = await readAuthority(state);
  if (record === undefined) throw new FarmError("IDENTITY_AUTHORITY_ABSENT", "the store has no authority");
  const authority = await openAuthority(dir, clock.now());
  if (authority === undefined || !names(record, authority)) throw otherAuthority(record, dir);
  const { identity } = await ensureAdmin(request, authority, authority.certificatePem);
  const isDone = splitAuthorities(record.authorityPem).length === 1;
  if (!isDone)
    await publish(request, identity, { generation: record.generation + 1, authorityPem: authority.certificatePem, expect: record.rev });
  return outcome(isDone ? "unchanged" : "retired", { authority, name: identity.name, authorityPem: authority.certificatePem });
}

async function newAuthority({ dir, clock, given }: InitRequest, farmId?: string): Promise<AuthorityKey> {
  const now = clock.now();
  const made = await makeAuthority({ now, ...(farmId === undefined ? {} : { farmId }) });
  const authority = given === undefined ? made : { ...checkAuthority({ ...given, now }), farmId: made.farmId };
  await saveAuthority(dir, authority);
  return authority;
}

/** The admin identity in the folder, made or renewed by its authority when it is none that this authority signed, or nearly over. */
async function ensureAdmin(
  request: InitRequest,
  authority: AuthorityKey,
  authorityPem: string,
): Promise<{ identity: Identity; isNew: boolean }> {
  const { dir, state, clock, lifeMs } = request;
  const now = clock.now();
  const found = await openIdentity(dir);
  const kept = found?.farmId === authority.farmId && found.role === "admin" ? found : undefined;
  if (kept !== undefined && isSame(kept.authorityPem, authorityPem) && isFresh(kept, authority, now))
    return { identity: kept, isNew: false };
  const name = kept?.name ?? request.name;
  const { key, keyPem } = await makeIdentityKey(`admin ${name}`);
  const spki = createPublicKey(key).export({ type: "spki", format: "der" });
  const certificatePem = await certify(authority, { role: "admin", name, spki, now, ...(lifeMs === undefined ? {} : { lifeMs }) });
  await saveIdentity(dir, { certificatePem, keyPem, authorityPem });
  const { serialNumber, validTo } = new X509Certificate(certificatePem);
  const facts = { serial: serialNumber.toUpperCase(), notAfter: instant(Date.parse(validTo)), at: now };
  await writeIssued(state, { ...facts, role: "admin", name, by: "certfarm init" });
  return { identity: { farmId: authority.farmId, role: "admin", name, certificatePem, key, authorityPem }, isNew: true };
}

/** @throws IDENTITY_AUTHORITY_OTHER when another one was faster */
async function publishFirst(request: InitRequest, identity: Identity, authority: AuthorityKey): Promise<void> {
  try {
    await publish(request, identity, { generation: 1, authorityPem: authority.certificatePem, expect: undefined });
  } catch (error) {
    const record = await readAuthority(request.state);
    if (record === undefined) throw error;
    if (!names(record, authority)) throw otherAuthority(record, request.dir);
  }
}

/** Signed by this authority, and not in the last third of its life, which a second run uses to make it anew. */
function isFresh({ certificatePem, farmId }: Identity, authority: AuthorityKey, now: Instant): boolean {
  const verdict = verifyIdentity(certificatePem, { authorityPem: authority.certificatePem, farmId, revoked: new Set(), now });
  if ("reason" in verdict) return false;
  const from = Date.parse(new X509Certificate(certificatePem).validFrom);
  return now < from + ((verdict.notAfter - from) * 2) / 3;
}

/** The admin identity that may sign for a change of the authority. @throws IDENTITY_REFUSED */
async function requireAdmin(dir: string, { farmId, authorityPem }: AuthorityRecord, clock: Clock): Promise<Identity> {
  const identity = await openIdentity(dir);
  const verdict =
    identity === undefined
      ? { problem: `${dir} holds no identity` }
      : verifyIdentity(identity.certificatePem, { farmId, authorityPem, revoked: new Set(), now: clock.now() });
  if (identity !== undefined && "role" in verdict && verdict.role === "admin") return identity;
  const why = "problem" in verdict ? verdict.problem : `${dir} holds the identity of ${verdict.role} ${verdict.name}`;
  throw new FarmError(
    "IDENTITY_REFUSED",
    `only a present admin can have a new authority trusted: ${why}. With --rejoin every process joins again`,
  );
}

async function publish(
  { state, clock }: InitRequest,
  signer: Identity,
  record: { generation: number; authorityPem: string; expect: Rev | undefined },
): Promise<void> {
  await writeAuthority(state, { ...record, signer, now: clock.now() });
}

const pemOf = (pem: string): string => splitAuthorities(pem).map(String).join("");
const isSame = (one: string, other: string): boolean => pemOf(one) === pemOf(other);

/** Whether the record names this authority as the present one. */
const names = (record: AuthorityRecord, authority: AuthorityKey | undefined): boolean =>
  authority !== undefined && record.farmId === authority.farmId && pemOf(record.authorityPem).startsWith(pemOf(authority.certificatePem));

function otherAuthority({ farmId, authorityPem }: AuthorityRecord, dir: string): FarmError {
  const fingerprint = fingerprintOf(authorityPem);
  return new FarmError(
    "IDENTITY_AUTHORITY_OTHER",
    `the store has the authority ${fingerprint} of farm ${farmId} already, and ${dir} does not hold its key`,
    {
      facts: { farmId, fingerprint },
    },
  );
}

/** SHA-256 over the first certificate (DER), upper-case hexadecimal. */
function fingerprintOf(authorityPem: string): string {
  const [first] = splitAuthorities(authorityPem);
  return first === undefined ? "" : createHash("sha256").update(first.raw).digest("hex").toUpperCase();
}

function outcome(
  kind: InitOutcome["kind"],
  { authority, name, authorityPem }: { authority: AuthorityKey; name: string; authorityPem: string },
): InitOutcome {
  const fingerprint = fingerprintOf(authority.certificatePem);
  return { kind, farmId: authority.farmId, name, fingerprint, trusted: splitAuthorities(authorityPem).length };
}
