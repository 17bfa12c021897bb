/** Who is who in a farm of many machines: its authority, identities, joining, renewal, revocation, and what they sign. */
export type { Identity, IdentityReason, IdentityRefusal, IdentityRole, IdentityTrust, RevokedSerials, VerifiedIdentity } from "./types.ts";
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
export { peerOf, serverTls } from "./tls.ts";
export { openAuthority } from "./authority-folder.ts";
export { askRenewal } from "./ask-admin.ts";
export { createIdentityDesk, requireOwnAuthority, type IdentityDesk, type ListedIdentity, type MadeToken } from "./identity-desk.ts";
export { initAuthority, replaceAuthority, retireAuthority, type InitOutcome, type InitRequest } from "./init-authority.ts";
export { readHandout, type JoinAnswer, type JoinHandout } from "./join-answer.ts";
export { joinFarm, type Joined, type JoinRequest } from "./join-farm.ts";
export { readJoinFile, type JoinFile } from "./join-file.ts";
