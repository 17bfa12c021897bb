/** The audit log: a hash chain in the store of every change of the farm. */
export type { AuditCaller, AuditEntry, AuditOutcome } from "./audit-entry.ts";
export {
  createAuditTrail,
  type AuditedChange,
  type AuditedEnd,
  type AuditPage,
  type AuditTrail,
  type AuditTrailParts,
} from "./audit-trail.ts";
export type { AuditBreak, AuditVerdict, PinnedHead } from "./verify-chain.ts";
export type { ExportLine } from "./export-line.ts";
