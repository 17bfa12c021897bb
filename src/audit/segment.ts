import { promisify } from "node:util";
import { gunzip, gzip } from "node:zlib";

import { FarmError } from "../base/index.ts";
import type { Store } from "../store/index.ts";
import { entryKey, segmentKey, type ChainHead, type ChainPlace } from "./chain-head.ts";
import { sha256 } from "./audit-entry.ts";
import { createKey } from "./certain-write.ts";
import { openEntry } from "./sealed-entry.ts";

/** Entries of every closed segment: the first one holds 1 to 64. Even the longest entries fit into one value of the store. */
export const SEGMENT_ENTRIES = 64;
const MAX_UNPACKED = 8 << 20;

const pack = promisify(gzip);
const unpack = promisify(gunzip);

/** Stored entries as one value: each behind its length in four octets, gzip. */
async function packEntries(entries: readonly Uint8Array[]): Promise<Uint8Array> {
  const framed = entries.flatMap((entry) => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(entry.length);
    return [length, entry];
  });
  return pack(Buffer.concat(framed));
}

/** @throws AUDIT_DAMAGED */
async function unpackEntries(value: Uint8Array, segment: number): Promise<readonly Uint8Array[]> {
  try {
    const bytes = await unpack(value, { maxOutputLength: MAX_UNPACKED });
    const entries: Uint8Array[] = [];
    for (let at = 0; at < bytes.length;) {
      const end = at + 4 + bytes.readUInt32BE(at);
      if (end > bytes.length) throw new Error("it is cut off");
      entries.push(bytes.subarray(at + 4, end));
      at = end;
    }
    return entries;
  } catch (cause) {
    throw new FarmError("AUDIT_DAMAGED", `segment ${segment} of the audit log (${segmentKey(segment)}) cannot be unpacked`, { cause });
  }
}

/** The stored entries of a closed segment; undefined = it is not there. @throws AUDIT_DAMAGED */
export async function readSegment(state: Store, segment: number): Promise<readonly Uint8Array[] | undefined> {
  const stored = await state.read(segmentKey(segment));
  return stored === undefined ? undefined : unpackEntries(stored.value, segment);
}

/**
 * Packs the oldest live entries into the next segment and says where it ends. They are packed as they are: what is missing or damaged stays so, for
 * `audit verify` to tell, and keeps nobody from going on.
 */
export async function writeSegment(state: Store, head: ChainHead): Promise<ChainPlace> {
  const segment = head.closed.segment + 1;
  const present = await readSegment(state, segment);
  if (present !== undefined) return endOf(present, segment);
  const entries: Uint8Array[] = [];
  for (let seq = head.closed.seq + 1; seq <= segment * SEGMENT_ENTRIES; seq += 1) {
    entries.push((await state.read(entryKey(seq)))?.value ?? MISSING);
  }
  // Where another process was first, what it packed counts.
  if ((await createKey(state, segmentKey(segment), await packEntries(entries))) !== undefined) return endOf(entries, segment);
  return endOf((await readSegment(state, segment)) ?? entries, segment);
}

const MISSING = new Uint8Array();

/** Where a segment ends. */
export function endOf(entries: readonly Uint8Array[], segment: number): ChainPlace {
  const last = entries.at(-1) ?? MISSING;
  const opened = openEntry(last, undefined);
  return { segment, seq: segment * SEGMENT_ENTRIES, digest: opened.kind === "entry" ? opened.digest : sha256(last) };
}

/** Whether the packed entry `seq` has this digest. */
export async function segmentHolds(
  state: Store,
  { head, seq, digest }: { readonly head: ChainHead; readonly seq: number; readonly digest: string },
): Promise<boolean> {
  if (seq <= head.base.seq) return false;
  const bytes = (await readSegment(state, segmentOf(seq)))?.[(seq - 1) % SEGMENT_ENTRIES];
  const opened = bytes === undefined ? undefined : openEntry(bytes, undefined);
  return opened?.kind === "entry" && opened.entry.seq === seq && opened.digest === digest;
}

/** The segment that an entry is in, or will be. */
export const segmentOf = (seq: number): number => Math.ceil(seq / SEGMENT_ENTRIES);
