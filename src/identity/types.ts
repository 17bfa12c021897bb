import type { KeyObject } from "node:crypto";

import type { Instant } from "../base/index.ts";

/** What a process of the farm may be. Only an admin signs for the farm. */
export type IdentityRole = "node" | "balancer" | "admin";

/** What a process proves itself with: its certificate of the farm's authority, and the key that never leaves its machine. */
export interface Identity {
  /** 16 lower-case hexadecimal digits, made with the farm's authority. */
  readonly farmId: string;
  readonly role: IdentityRole;
  readonly name: string;
  /** The leaf alone, PEM. */
  readonly certificatePem: string;
  readonly key: KeyObject;
  /** The authorities that are trusted, PEM: one, or two while the farm changes from one to the next. */
  readonly authorityPem: string;
}

/** Whom a certificate names, once it is verified. */
export interface VerifiedIdentity {
  readonly role: IdentityRole;
  readonly name: string;
  /** Upper-case hexadecimal. */
  readonly serial: string;
  readonly notAfter: Instant;
}

/** Why a certificate is nobody's identity in this farm. */
export type IdentityReason =
  | "malformed"
  /** No trusted authority signed it. */
  | "untrusted"
  | "other-farm"
  /** It names no role, or is not made for both ends of a connection. */
  | "unsuitable"
  | "expired"
  | "not-yet-valid"
  | "revoked";

/** Why a certificate is refused. */
export interface IdentityRefusal {
  readonly reason: IdentityReason;
  /** A sentence that names the certificate. */
  readonly problem: string;
}

/** Serials that are revoked; a Set is one. */
export interface RevokedSerials {
  has(serial: string): boolean;
}

/** What certificates of others are verified against. */
export interface IdentityTrust {
  /** One authority or two, PEM. */
  readonly authorityPem: string;
  readonly farmId: string;
  readonly revoked: RevokedSerials;
}
