import { instant } from "../base/index.ts";
import { isStatement, readStatement, signAs, trustOf, verifyStatement, type Signing } from "../identity/index.ts";
import { readEntry, writeEntry, type AuditEntry, type ChainedEntry } from "./audit-entry.ts";

/** What signers are checked against; without a farm's id, that of the entry. */
export interface AuditTrust {
  readonly authorityPem: string;
  readonly farmId?: string;
}

/** Nobody is revoked: what was signed before somebody was revoked stays so. */
const NOBODY = { has: () => false };

/** An entry as it is stored: in a farm with identities it is signed by the process that wrote it. */
export function sealEntry(entry: AuditEntry, signing: Signing | undefined): { readonly bytes: Uint8Array; readonly digest: string } {
  const { bytes, digest } = writeEntry(entry);
  if (signing === undefined) return { bytes, digest };
  const statement = { kind: "audit", to: "farm", id: String(entry.seq), issuedAt: entry.at, notAfter: undefined, body: bytes } as const;
  return { bytes: signAs(signing, statement), digest };
}

/** Who vouches for an entry. `unknown-signer` = it is signed, and nothing is known here to check that with. */
export type Seal =
  | { readonly kind: "unsigned" }
  | { readonly kind: "signed"; readonly by: string }
  | { readonly kind: "unknown-signer"; readonly problem: string }
  | { readonly kind: "forged"; readonly problem: string };

/** A stored entry, read: what it says and who vouches for it. */
export type OpenedEntry =
  | (ChainedEntry & { readonly kind: "entry"; readonly seal: Seal })
  | { readonly kind: "damaged" | "changed"; readonly problem: string };

/** Reasons that say nothing about the entry, only that this process does not know its signer (any longer). */
const NOT_KNOWN: readonly string[] = ["untrusted", "other-farm"];

/** Opens a stored entry. `trust` = the authority that signers are checked against; absent = signatures are not checked. */
export function openEntry(stored: Uint8Array, trust: AuditTrust | undefined): OpenedEntry {
  const signed = isStatement(stored);
  const body = signed ? readStatement(stored)?.statement.body : stored;
  if (body === undefined) return { kind: "damaged", problem: "it is no whole statement" };
  const read = readEntry(body);
  if ("problem" in read) return read;
  return { kind: "entry", ...read, seal: signed ? sealOf(stored, read.entry, trust) : { kind: "unsigned" } };
}

function sealOf(stored: Uint8Array, { seq, at }: AuditEntry, trust: AuditTrust | undefined): Seal {
  if (trust === undefined) return { kind: "unknown-signer", problem: "no authority was given" };
  const seen = (id: string): boolean => id !== String(seq);
  const { authorityPem, farmId = readStatement(stored)?.statement.farmId ?? "" } = trust;
  const checked = { authorityPem, farmId, revoked: NOBODY };
  const read = verifyStatement(stored, { kind: "audit", to: "farm", role: "admin", trust: checked, seen });
  if (read.kind === "refused") {
    return { kind: NOT_KNOWN.includes(read.reason) ? "unknown-signer" : "forged", problem: read.problem };
  }
  if (read.statement.issuedAt !== instant(Math.round(at)))
    return { kind: "forged", problem: "it was signed at another moment than it says" };
  return { kind: "signed", by: read.signer.name };
}

/** What a process with an identity checks signers against. */
export const trustIn = (signing: Signing | undefined): AuditTrust | undefined => (signing === undefined ? undefined : trustOf(signing));
