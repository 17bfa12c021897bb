import { FarmError, type Instant } from "../base/index.ts";
import type { Entry, Rev, Store } from "../store/index.ts";
import { signStatement, verifyStatement, type StatementRefusal } from "./signing.ts";
import { readStatement } from "./signing-bytes.ts";
import type { Identity, IdentityTrust, VerifiedIdentity } from "./types.ts";
import { splitAuthorities } from "./verify-identity.ts";

/** Whom the farm trusts, as the store says; each record is signed by an admin, so that whoever writes to the store cannot change it. */
export const TRUST_PREFIX = "identity/trust";
const AUTHORITY_KEY = `${TRUST_PREFIX}/authority`;
const REVOKED_PREFIX = `${TRUST_PREFIX}/revoked`;
/** For every process of the farm. */
const EVERYBODY = "farm";
/** One, and a second one while the farm changes. */
const MAX_AUTHORITIES = 2;

/** The farm's authorities, as the store has them: to be believed by whoever trusts the signer already, or has their fingerprint. */
export interface AuthorityRecord {
  readonly farmId: string;
  /** Grows with each change; processes never go back. */
  readonly generation: number;
  /** The present authority first. */
  readonly authorityPem: string;
}

/** An identity that is to be believed no longer. */
export interface Revocation {
  readonly serial: string;
  /** `node web1`. */
  readonly who: string;
  readonly at: Instant;
  readonly by: string;
  readonly reason: string;
}

/** What a process learns from one record, or why it does not believe it. */
export type TrustNews =
  | ({ readonly kind: "authority" } & AuthorityRecord)
  | ({ readonly kind: "revocation" } & Revocation)
  | { readonly kind: "refused"; readonly key: string; readonly problem: string };

/** The record as it is, unverified; undefined = the farm has no authority. @throws STORE_CORRUPT, and the store's errors */
export async function readAuthority(state: Store): Promise<(AuthorityRecord & { readonly rev: Rev }) | undefined> {
  const entry = await state.read(AUTHORITY_KEY);
  if (entry === undefined) return undefined;
  const read = readStatement(entry.value);
  const record = read === undefined ? undefined : authorityOf(read.statement.body, read.statement.farmId);
  if (record !== undefined) return { ...record, rev: entry.rev };
  throw new FarmError("STORE_CORRUPT", `${AUTHORITY_KEY} is damaged: it is no record of an authority`, { facts: { where: AUTHORITY_KEY } });
}

/** Writes the farm's authorities, signed. @throws STORE_CONFLICT, and the store's errors */
export async function writeAuthority(
  state: Store,
  { signer, now, expect, ...record }: Omit<AuthorityRecord, "farmId"> & { signer: Identity; now: Instant; expect: Rev | undefined },
): Promise<void> {
  const statement = { kind: "authority", farmId: signer.farmId, to: EVERYBODY, id: String(record.generation) } as const;
  const body = Buffer.from(JSON.stringify(record));
  await state.write(AUTHORITY_KEY, signStatement(signer, { ...statement, issuedAt: now, notAfter: undefined, body }), expect);
}

/** Writes a revocation, signed; one that is there already stays. @throws the store's errors */
export async function writeRevocation(state: Store, signer: Identity, revocation: Revocation): Promise<void> {
  const statement = { kind: "revocation", farmId: signer.farmId, to: EVERYBODY, id: revocation.serial } as const;
  const value = signStatement(signer, {
    ...statement,
    issuedAt: revocation.at,
    notAfter: undefined,
    body: Buffer.from(JSON.stringify(revocation)),
  });
  const key = `${REVOKED_PREFIX}/${revocation.serial}`;
  // What stands there may be somebody else's and not believed.
  await state.write(key, value, (await state.read(key))?.rev);
}

/**
 * What the records say to somebody who trusts `trust`: authorities first. A revocation holds also when its signer was revoked later: too many
 * refused identities are mended by joining again, too few are not noticed.
 */
export async function readTrust(state: Store, trust: IdentityTrust): Promise<readonly TrustNews[]> {
  const entries = await state.list(TRUST_PREFIX);
  const authority = entries.filter(({ key }) => key === AUTHORITY_KEY).map((entry) => readOne(entry, trust));
  const accepted = authority.find((news) => news.kind === "authority");
  const then = accepted === undefined ? trust : { ...trust, authorityPem: `${trust.authorityPem}\n${accepted.authorityPem}` };
  return [
    ...authority,
    ...entries.filter(({ key }) => key !== AUTHORITY_KEY).map((entry) => readOne(entry, { ...then, revoked: new Set() })),
  ];
}

function readOne({ key, value }: Entry, trust: IdentityTrust): TrustNews {
  const kind = key === AUTHORITY_KEY ? "authority" : "revocation";
  const verdict = verifyStatement(value, { kind, to: EVERYBODY, role: "admin", trust });
  if (verdict.kind === "refused") return refused(key, verdict);
  const { body, farmId, id, issuedAt } = verdict.statement;
  if (kind === "authority") {
    const record = authorityOf(body, farmId);
    return record?.generation === Number(id) ? { kind, ...record } : refused(key, { problem: "it is no record of an authority" });
  }
  const isPlaced = key === `${REVOKED_PREFIX}/${id}`;
  return isPlaced
    ? { kind, ...revocationOf(body, { id, issuedAt, signer: verdict.signer }) }
    : refused(key, { problem: "it is another one's revocation" });
}

const refused = (key: string, { problem }: Pick<StatementRefusal, "problem">): TrustNews => ({ kind: "refused", key, problem });

function authorityOf(body: Uint8Array, farmId: string): AuthorityRecord | undefined {
  const { generation, authorityPem } = fieldsOf(body);
  if (typeof generation !== "number" || !Number.isSafeInteger(generation) || typeof authorityPem !== "string") return undefined;
  const authorities = splitAuthorities(authorityPem);
  if (authorities.length === 0 || authorities.length > MAX_AUTHORITIES) return undefined;
  return { farmId, generation, authorityPem: authorities.map(String).join("") };
}

function revocationOf(body: Uint8Array, { id, issuedAt, signer }: { id: string; issuedAt: Instant; signer: VerifiedIdentity }): Revocation {
  const { who, reason } = fieldsOf(body);
  const text = (value: unknown): string => (typeof value === "string" ? value.slice(0, 500) : "");
  return { serial: id, who: text(who), at: issuedAt, by: signer.name, reason: text(reason) };
}

function fieldsOf(body: Uint8Array): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(Buffer.from(body).toString("utf8"));
    return typeof value === "object" && value !== null ? { ...value } : {};
  } catch {
    return {}; // told as a record of no kind
  }
}
