import { sign, verify, X509Certificate, type KeyObject } from "node:crypto";

import { instant, type Instant } from "../base/index.ts";
import {
  bytesToSign,
  isStatement,
  joinSignature,
  readStatement,
  type SignedStatement,
  type Statement,
  type StatementKind,
} from "./signing-bytes.ts";
import type { Identity, IdentityReason, IdentityRole, IdentityTrust, VerifiedIdentity } from "./types.ts";
import { verifyIdentity } from "./verify-identity.ts";

/** What a process of a signed farm signs with, and whom it believes. Without it nothing is signed and nothing is refused. */
export interface Signing {
  /** The present one: it is renewed while the process runs. */
  readonly identity: () => Identity;
  readonly revoked: IdentityTrust["revoked"];
}

/** Why a statement is not believed. */
export type StatementReason =
  | Exclude<IdentityReason, "malformed">
  | "unsigned"
  | "malformed"
  | "other-kind"
  | "other-recipient"
  /** Whoever signed it may not say such a thing. */
  | "role"
  | "signature"
  | "too-old"
  | "too-new"
  | "replayed";

/** A statement that is not believed, and why in one sentence. */
export interface StatementRefusal {
  readonly kind: "refused";
  readonly reason: StatementReason;
  readonly problem: string;
}

/** A statement that is believed. */
export interface VerifiedStatement {
  readonly kind: "verified";
  readonly statement: Statement;
  readonly signer: VerifiedIdentity;
}

/** What a statement must be to be believed. */
export interface Expectation {
  readonly kind: StatementKind;
  readonly to: string;
  readonly role: IdentityRole;
  /** Only this one of the role. */
  readonly signer?: string;
  readonly trust: IdentityTrust;
  /**
   * The reader's clock: the statement's time window must be around it, give or take two hours. Absent = it holds until another one takes its
   * place; then no clock but the signer's own is asked.
   */
  readonly now?: Instant;
  /** Whether this id was acted on already, or was never asked for. */
  readonly seen?: (id: string) => boolean;
}

/** How wrong a machine's clock may be. What must not be done twice is kept from it by `seen`, not by clocks. */
const MAX_SKEW_MS = 2 * 3_600_000;
/** A window wider than this is none. */
const MAX_WINDOW_MS = 3_600_000;

/** The statement with this identity's certificate and signature (ECDSA P-256, SHA-256), as it is stored. */
export function signStatement({ certificatePem, key }: Pick<Identity, "certificatePem" | "key">, statement: Statement): Uint8Array {
  const whole = { ...statement, issuedAt: wholeMs(statement.issuedAt), notAfter: wholeMs(statement.notAfter) };
  const signed = bytesToSign(whole, new X509Certificate(certificatePem).raw);
  return joinSignature(signed, sign("sha256", signed, { key, dsaEncoding: "ieee-p1363" }));
}

function wholeMs<T extends Instant | undefined>(at: T): T;
function wholeMs(at: Instant | undefined): Instant | undefined {
  return at === undefined ? undefined : instant(Math.round(at));
}

/** Signs as the process's present identity, for its farm. */
export function signAs(signing: Signing, statement: Omit<Statement, "farmId">): Uint8Array {
  const identity = signing.identity();
  return signStatement(identity, { ...statement, farmId: identity.farmId });
}

/** What this process verifies others against. */
export function trustOf(signing: Signing): IdentityTrust {
  const { authorityPem, farmId } = signing.identity();
  const { revoked } = signing;
  return { authorityPem, farmId, revoked };
}

/** Whether these octets are a statement that may be acted on. Nothing in it is believed unless all of it holds. Never throws. */
export function verifyStatement(bytes: Uint8Array, expected: Expectation): VerifiedStatement | StatementRefusal {
  if (!isStatement(bytes)) return refuse("unsigned", "it is not signed");
  const read = readStatement(bytes);
  if (read === undefined) return refuse("malformed", "it is no whole statement");
  const { statement } = read;
  return addressProblem(statement, expected) ?? verifySigner(read, expected);
}

/** What can be told without any certificate. */
function addressProblem({ kind, farmId, to }: Statement, expected: Expectation): StatementRefusal | undefined {
  if (farmId !== expected.trust.farmId) return refuse("other-farm", `it is for the farm ${quote(farmId)}`);
  if (kind !== expected.kind) return refuse("other-kind", `it is a signed ${kind}, not a ${expected.kind}`);
  if (to !== expected.to) return refuse("other-recipient", `it is meant for ${quote(to)}, not for ${quote(expected.to)}`);
  return undefined;
}

function verifySigner(read: SignedStatement, expected: Expectation): VerifiedStatement | StatementRefusal {
  const { statement, certificate, signed, signature } = read;
  const opened = openCertificate(certificate);
  if (opened === undefined) return refuse("malformed", "the certificate inside it cannot be read");
  const signer = verifyIdentity(opened.pem, { ...expected.trust, now: statement.issuedAt });
  if ("reason" in signer) return refuse(signer.reason, `its signer is not believed: ${signer.problem}`);
  if (!isSignedBy(opened.publicKey, signed, signature))
    return refuse("signature", "its signature is not that of the certificate inside it");
  return signerProblem(signer, expected) ?? timeProblem(statement, expected) ?? { kind: "verified", statement, signer };
}

function signerProblem({ role, name }: VerifiedIdentity, expected: Expectation): StatementRefusal | undefined {
  const who = `${role} ${quote(name)}`;
  if (role !== expected.role) return refuse("role", `${who} signed it: only a process with the role ${expected.role} may`);
  if (expected.signer !== undefined && name !== expected.signer) return refuse("role", `${who} signed it, not ${quote(expected.signer)}`);
  return undefined;
}

function timeProblem({ id, issuedAt, notAfter }: Statement, { now, seen }: Expectation): StatementRefusal | undefined {
  if (now !== undefined) {
    if (notAfter === undefined || notAfter - issuedAt > MAX_WINDOW_MS) return refuse("too-old", "it does not say soon enough when it ends");
    if (now > notAfter + MAX_SKEW_MS) return refuse("too-old", `it was good until ${timeOf(notAfter)}`);
    if (now < issuedAt - MAX_SKEW_MS) return refuse("too-new", `it is of ${timeOf(issuedAt)}, which is to come`);
  }
  return seen?.(id) === true ? refuse("replayed", "it was used before, or nobody asked for it") : undefined;
}

function openCertificate(der: Uint8Array): { readonly pem: string; readonly publicKey: KeyObject } | undefined {
  try {
    const certificate = new X509Certificate(der);
    // What stands behind the certificate would be signed, but by whom is anybody's guess.
    if (!certificate.raw.equals(der)) return undefined;
    return { pem: certificate.toString(), publicKey: certificate.publicKey };
  } catch {
    return undefined;
  }
}

function isSignedBy(key: KeyObject, signed: Uint8Array, signature: Uint8Array): boolean {
  if (key.asymmetricKeyType !== "ec" || key.asymmetricKeyDetails?.namedCurve !== "prime256v1") return false;
  return verify("sha256", signed, { key, dsaEncoding: "ieee-p1363" }, signature);
}

const refuse = (reason: StatementReason, problem: string): StatementRefusal => ({ kind: "refused", reason, problem });
const quote = (text: string): string => JSON.stringify(text.slice(0, 100));
const timeOf = (at: Instant): string => new Date(at).toISOString();
