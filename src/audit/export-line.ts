import type { AuditEntry } from "./audit-entry.ts";
import { openEntry } from "./sealed-entry.ts";

/** An exported entry: a line of JSON with the entry for people and, in base64, the octets that digests and signatures are of. */
export interface ExportLine {
  readonly entry?: AuditEntry;
  readonly digest?: string;
  readonly record: string;
}

/** What is stored, as an exported line. */
export function exportLine(stored: Uint8Array): ExportLine {
  const opened = openEntry(stored, undefined);
  const record = Buffer.from(stored).toString("base64");
  return opened.kind === "entry" ? { entry: opened.entry, digest: opened.digest, record } : { record };
}

/** The same as text, with its newline. */
export const lineOf = (stored: Uint8Array): string => `${JSON.stringify(exportLine(stored))}\n`;

/** What a line of an export holds; undefined = it is none, or what it shows to people is not what was signed. */
export function storedIn(line: string): Uint8Array | undefined {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value !== "object" || value === null || !("record" in value) || typeof value.record !== "string") return undefined;
    const stored = Buffer.from(value.record, "base64");
    return JSON.stringify(exportLine(stored)) === JSON.stringify(value) ? stored : undefined;
  } catch {
    return undefined; // told by the caller
  }
}
