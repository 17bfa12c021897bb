import { FarmError } from "../base/index.ts";
import type { AuditEntry } from "./audit-entry.ts";
import { AuditWriter, type AuditedChange, type AuditedEnd, type AuditTrailParts } from "./audit-writer.ts";
import { Chain } from "./chain.ts";
import type { ChainHead } from "./chain-head.ts";
import { exportLine, type ExportLine } from "./export-line.ts";
import { readChain } from "./read-chain.ts";
import { openEntry, trustIn } from "./sealed-entry.ts";
import { verifyChain, type AuditVerdict, type PinnedHead } from "./verify-chain.ts";

/** Entries of the log and where it ends. */
export interface AuditPage {
  readonly entries: readonly AuditEntry[];
  readonly head: PinnedHead;
}

/** The log of every change of the farm. */
export interface AuditTrail {
  /**
   * Writes that a change begins, does it, and writes how it ended. Changes inside of it are told as its parts. `endOf` says how it ended when it
   * did not throw. @throws what the store or the work throws: without an entry nothing is begun
   */
  change<T>(change: AuditedChange, work: () => Promise<T>, endOf?: (result: T) => AuditedEnd): Promise<T>;
  /** Writes one entry of what was done. */
  note(change: AuditedChange, end: AuditedEnd): Promise<void>;
  /** The newest ones, or those after `after`; in order. */
  list(request: { readonly after?: number; readonly limit: number }): Promise<AuditPage>;
  /** `pin` = an end that was noted outside of the store. */
  verify(pin?: PinnedHead): Promise<AuditVerdict>;
  /** Every entry that the store holds, in order, each with the octets that digests and signatures are of. */
  export(after?: number): AsyncGenerator<ExportLine>;
}

/** The trail over a store's state keys `audit/…`. */
export function createAuditTrail(parts: AuditTrailParts): AuditTrail {
  const { state, signing } = parts;
  const chain = new Chain(parts);
  const writer = new AuditWriter(parts, chain);
  return {
    change: (change, work, endOf) => writer.change(change, work, endOf),
    note: (change, end) => writer.note(change, end),
    list: ({ after, limit }) =>
      settled(chain, async (head) => {
        const from = Math.max(head.base.seq, after ?? head.seq - limit);
        const entries: AuditEntry[] = [];
        for await (const { bytes } of readChain(state, head, from)) {
          const opened = bytes === undefined ? undefined : openEntry(bytes, undefined);
          if (opened?.kind === "entry") entries.push(opened.entry);
          if (entries.length >= limit) break;
        }
        return { entries, head: { seq: head.seq, digest: head.digest } };
      }),
    verify(pin) {
      const before = chain.seen;
      return settled(chain, (head) => {
        const pins = [before, pin].filter((one) => one !== undefined && one.seq > head.base.seq) as PinnedHead[]; // without the absent ones
        return verifyChain(readChain(state, head, head.base.seq), { base: head.base, head, pins, trust: trustIn(signing) });
      });
    },
    async *export(after = 0) {
      const head = await chain.head();
      for await (const { bytes, seq } of readChain(state, head, after)) {
        if (bytes === undefined) throw new FarmError("AUDIT_DAMAGED", `entry ${seq} of the audit log is missing`);
        yield exportLine(bytes);
      }
    },
  };
}

const MAX_READS = 5;

/** Reads again when old entries left the store while they were read. */
async function settled<T>(chain: Chain, read: (head: ChainHead) => Promise<T>): Promise<T> {
  for (let reads = 1; ; reads += 1) {
    const head = await chain.head();
    const result = await read(head);
    if (reads >= MAX_READS || (await chain.head()).base.seq === head.base.seq) return result;
  }
}
