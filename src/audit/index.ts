/** The audit log: a hash chain in the store of every change of the farm. */
export type { AuditCaller, AuditEntry } from "./audit-entry.ts";
export { createAuditTrail, type AuditPage, type AuditTrail } from "./audit-trail.ts";
export type { AuditedChange, AuditedEnd } from "./audit-writer.ts";
export { verifyExport, type ExportLine } from "./export-line.ts";
export type { AuditVerdict, PinnedHead } from "./verify-chain.ts";
