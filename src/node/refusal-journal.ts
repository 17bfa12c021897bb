import type { Clock } from "../base/index.ts";
import type { RefusalCode } from "../handshake/index.ts";
import type { RefusalEntry } from "./requests.ts";

/** What a refusal is made of before the journal numbers it. */
export type Refusal = Omit<RefusalEntry, "sequence" | "at">;

/** The last refusals of this node's process, newest `capacity` kept, all of them counted. */
export interface RefusalJournal {
  add(refusal: Refusal): void;
  /** Entries after a sequence number, oldest first; `dropped` = how many of those asked for are no longer kept. */
  after(sequence: number, limit: number): { readonly entries: readonly RefusalEntry[]; readonly dropped: number; readonly total: number };
  totals(): { readonly total: number; readonly byReason: Readonly<Record<string, number>> };
}

/** A journal in a ring of `capacity` entries: a scan costs its own memory, never more. */
export function createRefusalJournal(clock: Clock, capacity = 2_000): RefusalJournal {
  const ring: RefusalEntry[] = [];
  const byReason = new Map<RefusalCode, number>();
  let total = 0;

  return {
    add(refusal) {
      total += 1;
      byReason.set(refusal.reason, (byReason.get(refusal.reason) ?? 0) + 1);
      ring[(total - 1) % capacity] = { ...refusal, sequence: total, at: clock.now() };
    },
    after(sequence, limit) {
      const oldest = Math.max(1, total - capacity + 1);
      const first = Math.max(sequence + 1, oldest);
      const entries: RefusalEntry[] = [];
      for (let next = first; next <= total && entries.length < limit; next += 1) {
        const entry = ring[(next - 1) % capacity];
        if (entry !== undefined) entries.push(entry);
      }
      return { entries, dropped: Math.max(0, Math.min(first, total + 1) - sequence - 1), total };
    },
    totals: () => ({ total, byReason: Object.fromEntries(byReason) }),
  };
}
