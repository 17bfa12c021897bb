import type { Store } from "../store/index.ts";
import { ENTRIES, numberOf, type ChainHead } from "./chain-head.ts";
import { readSegment, SEGMENT_ENTRIES, segmentOf } from "./segment.ts";

/** An entry as it is stored, at the place where it was looked for; without octets = nothing is there. */
export interface StoredEntry {
  readonly seq: number;
  readonly bytes: Uint8Array | undefined;
}

/**
 * The stored entries after `after` in order, up to the head's and those behind it, whose writers have not moved it yet. What should be there
 * and is not is told as missing. @throws AUDIT_DAMAGED for a segment that cannot be unpacked
 */
export async function* readChain(state: Store, head: ChainHead, after: number): AsyncGenerator<StoredEntry> {
  // Before the segments: what is packed meanwhile is found here; what was packed before, since the head was read, is looked for there.
  const live = await readLive(state);
  let seq = Math.max(after, head.base.seq);
  while (seq < head.closed.seq) {
    const segment = segmentOf(seq + 1);
    const entries = await readSegment(state, segment);
    for (const end = segment * SEGMENT_ENTRIES; seq < end;) {
      seq += 1;
      yield { seq, bytes: packedIn(entries, seq) };
    }
  }
  for (seq += 1; seq <= head.seq || live.has(seq); seq += 1) {
    yield { seq, bytes: live.get(seq) ?? packedIn(await readSegment(state, segmentOf(seq)), seq) };
  }
}

function packedIn(entries: readonly Uint8Array[] | undefined, seq: number): Uint8Array | undefined {
  const bytes = entries?.[(seq - 1) % SEGMENT_ENTRIES];
  return bytes?.length === 0 ? undefined : bytes;
}

async function readLive(state: Store): Promise<ReadonlyMap<number, Uint8Array>> {
  const stored = await state.list(ENTRIES);
  return new Map(
    stored.flatMap(({ key, value }) => {
      const seq = numberOf(key);
      return seq === undefined ? [] : [[seq, value] as const];
    }),
  );
}
