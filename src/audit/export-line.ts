import { FarmError } from "../base/index.ts";
import { GENESIS, type AuditEntry } from "./audit-entry.ts";
import type { StoredEntry } from "./read-chain.ts";
import { openEntry, type AuditTrust } from "./sealed-entry.ts";
import { verifyChain, type AuditVerdict, type PinnedHead } from "./verify-chain.ts";

/** An exported entry: the entry for people and, in base64, the octets that digests and signatures are of. */
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

/** What a line of an export holds; no octets = it is none, or what it shows to people is not what was written. */
function storedIn(line: string): { readonly seq: number | undefined; readonly previous: string; readonly bytes: Uint8Array } {
  const broken = { seq: undefined, previous: GENESIS, bytes: new Uint8Array() };
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value !== "object" || value === null || !("record" in value) || typeof value.record !== "string") return broken;
    const bytes = Buffer.from(value.record, "base64");
    const shown = exportLine(bytes);
    if (JSON.stringify(shown) !== JSON.stringify(value)) return { ...broken, seq: shown.entry?.seq };
    return { seq: shown.entry?.seq, previous: shown.entry?.previous ?? GENESIS, bytes };
  } catch {
    return broken;
  }
}

/**
 * Verifies lines of `audit export`, or of files that the log kept of what left the store, in the order of their entries. The first one is taken as
 * it stands: what came before it is told by nothing in it. @throws INPUT_FILE_UNUSABLE when there is no line
 */
export async function verifyExport(
  lines: AsyncIterable<string>,
  { pin, trust }: { readonly pin?: PinnedHead; readonly trust?: AuditTrust | undefined },
): Promise<AuditVerdict> {
  const iterator = lines[Symbol.asyncIterator]();
  const first = await iterator.next();
  if (first.done === true) throw new FarmError("INPUT_FILE_UNUSABLE", "there is no line in the export");
  const head = storedIn(first.value);
  const base = { seq: (head.seq ?? 1) - 1, digest: head.previous };
  async function* entries(): AsyncGenerator<StoredEntry> {
    let seq = base.seq + 1;
    yield { seq, bytes: head.bytes };
    for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) {
      seq += 1;
      const { seq: said, bytes } = storedIn(next.value);
      // A line that was taken out shows by the number of the next.
      if (said !== undefined && seq < said) yield { seq, bytes: undefined };
      yield { seq, bytes };
    }
  }
  const pins = pin === undefined || pin.seq <= base.seq ? [] : [pin];
  return verifyChain(entries(), { base, pins, trust });
}
