/** Who is who in a farm of many machines: its authority, identities, joining, renewal, revocation, and what they sign. */
export type { Identity, IdentityReason, IdentityRefusal, IdentityRole, IdentityTrust, RevokedSerials, VerifiedIdentity } from "./types.ts";
export { verifyIdentity } from "./verify-identity.ts";
export {
  signAs,
  trustOf,
  verifyStatement,
  type Signing,
  type StatementReason,
  type StatementRefusal,
  type VerifiedStatement,
} from "./signing.ts";
export { isStatement, readStatement } from "./signing-bytes.ts";
export { openIdentity } from "./identity-folder.ts";
export { openIdentityKeeper, type AskAuthority, type IdentityKeeper, type IdentityState, type IssuedIdentity } from "./identity-keeper.ts";
export { clientTls, peerOf, serverTls, tlsOptions, type TlsParts } from "./tls.ts";
