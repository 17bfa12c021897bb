import { FarmError, toFarmError } from "../base/index.ts";
import type { Store } from "../store/index.ts";
import type { Chain, ChainParts } from "./chain.ts";
import { ENTRIES, numberOf, segmentKey, type ChainHead } from "./chain-head.ts";
import { isConflict } from "./certain-write.ts";
import { lineOf } from "./export-line.ts";
import { endOf, readSegment, SEGMENT_ENTRIES, writeSegment } from "./segment.ts";

/** Keeps a segment outside of the store before the store lets it go. Resolves when it is safe there. */
export type KeepSegment = (name: string, text: string) => Promise<void>;

/** How much of the log the store holds. */
export interface AuditBounds {
  /** Live entries that stay unpacked. */
  readonly live: number;
  /** Closed segments that stay in the store. */
  readonly segments: number;
}

/** 32,768 packed entries; signed ones have 6 MB in all. */
export const BOUNDS: AuditBounds = { live: SEGMENT_ENTRIES, segments: 512 };

/** Where no segment can be kept outside, the store holds so many times the bound; then changes are refused. */
const PATIENCE = 4;
const MAX_STEPS = 64;

/** Packs old entries, lets old segments go, and removes what is packed. What fails is told in the log and tried again later. */
export async function tidyChain(
  chain: Chain,
  { parts, bounds, keep }: { readonly parts: ChainParts; readonly bounds: AuditBounds; readonly keep: KeepSegment | undefined },
): Promise<void> {
  try {
    for (let step = 0; step < MAX_STEPS; step += 1) {
      if (!(await packNext(chain, parts.state, bounds))) break;
    }
    if (keep === undefined) return;
    for (let step = 0; step < MAX_STEPS; step += 1) {
      if (!(await letGoNext(chain, { parts, bounds, keep }))) break;
    }
  } catch (error) {
    parts.log.warn("old entries of the audit log could not be packed or kept; it is tried again", { problem: toFarmError(error).message });
  }
}

/** How many entries are live beyond the bound: packing lags behind. */
export const lagOf = ({ seq, closed }: ChainHead, bounds: AuditBounds): number => Math.max(0, seq - closed.seq - bounds.live);

/** @throws AUDIT_FULL when so much is left in the store that no change may be added */
export function requireRoom(head: ChainHead, bounds: AuditBounds): void {
  const { base, closed } = head;
  const isFull = closed.segment - base.segment > bounds.segments * PATIENCE || lagOf(head, bounds) > MAX_STEPS * SEGMENT_ENTRIES;
  if (!isFull) return;
  throw new FarmError(
    "AUDIT_FULL",
    `the audit log holds ${head.seq - base.seq} entries, and old ones could not be packed and kept outside of the store`,
  );
}

async function packNext(chain: Chain, state: Store, bounds: AuditBounds): Promise<boolean> {
  const head = await chain.head();
  if (head.seq - head.closed.seq < bounds.live + SEGMENT_ENTRIES) return false;
  const closed = await writeSegment(state, head);
  const isMoved = await chain.moveMarks((now) => (now.closed.seq === head.closed.seq ? { closed, base: now.base } : undefined));
  // Another process packed it, and it has left the store since.
  if (!isMoved && (await chain.head()).base.segment >= closed.segment) await removeSegment(state, closed.segment);
  await removeUpTo(state, (await chain.head()).closed.seq);
  return true;
}

/** What is packed, and what a process that stood still for long put where packed entries once were. */
async function removeUpTo(state: Store, last: number): Promise<void> {
  for (const { key, rev } of await state.list(ENTRIES)) {
    const seq = numberOf(key);
    if (seq !== undefined && seq <= last) await removeQuietly(state, key, rev);
  }
}

async function removeQuietly(state: Store, key: string, rev: Parameters<Store["remove"]>[1]): Promise<void> {
  try {
    await state.remove(key, rev);
  } catch (error) {
    if (!isConflict(error)) throw error; // another process was first
  }
}

async function letGoNext(
  chain: Chain,
  { parts, bounds, keep }: { readonly parts: ChainParts; readonly bounds: AuditBounds; readonly keep: KeepSegment },
): Promise<boolean> {
  const { state } = parts;
  const { base, closed } = await chain.head();
  if (closed.segment - base.segment <= bounds.segments) return false;
  const segment = base.segment + 1;
  const entries = await readSegment(state, segment);
  if (entries === undefined) throw new FarmError("AUDIT_DAMAGED", `segment ${segment} of the audit log is missing`);
  const end = endOf(entries, segment);
  const name = `audit-${String(base.seq + 1).padStart(12, "0")}-${String(end.seq).padStart(12, "0")}.jsonl`;
  await keep(name, entries.map((bytes) => lineOf(bytes)).join(""));
  await chain.append({
    caller: { name: "certfarm", role: "admin", by: "local" },
    action: "audit.let-go",
    target: `entries ${base.seq + 1} to ${end.seq} (${end.digest}) are kept in ${name} and leave the store`,
    phase: "noted",
  });
  const isMoved = await chain.moveMarks((now) => (now.base.seq === base.seq ? { closed: now.closed, base: end } : undefined));
  if (isMoved) await removeSegment(state, segment);
  return true;
}

async function removeSegment(state: Store, segment: number): Promise<void> {
  const stored = await state.read(segmentKey(segment));
  if (stored !== undefined) await removeQuietly(state, stored.key, stored.rev);
}
