import { createHash, randomUUID } from "node:crypto";

import { FarmError } from "../../base/index.ts";
import { createBell, type Bell } from "../bell.ts";
import type { Change, Entry, Rev, Store } from "../contract.ts";
import { digestHex, isBelow, keyParts, prefixParts, requireValueSize } from "../key.ts";
import { beginCall, type MemoryShared, unknownOutcome } from "./memory-faults.ts";

/** How many changes a cursor may lag behind before a watch starts with a reset. */
const HISTORY = 10_000;
const BLOB_CHUNK = 64 * 1024;

interface Cell {
  readonly value: Uint8Array;
  readonly seq: number;
}

/** Keys, history and blobs of a memory backing. */
export interface MemoryStateData {
  readonly id: string;
  seq: number;
  readonly cells: Map<string, Cell>;
  /** Which key changed, for the sequence numbers `firstSeq`, `firstSeq + 1`, … */
  history: string[];
  firstSeq: number;
  readonly blobs: Map<string, Uint8Array>;
  readonly bells: Set<Bell>;
}

/** No keys, no blobs. */
export const newStateData = (): MemoryStateData => ({
  id: randomUUID(),
  seq: 0,
  cells: new Map(),
  history: [],
  firstSeq: 1,
  blobs: new Map(),
  bells: new Set(),
});

const revOf = (cell: Cell): Rev => `m${cell.seq}` as Rev; // the brand's one maker in this driver
const entryOf = (key: string, cell: Cell): Entry => ({ key, value: cell.value.slice(), rev: revOf(cell) });

function record(data: MemoryStateData, key: string): number {
  data.seq += 1;
  data.history.push(key);
  if (data.history.length > 2 * HISTORY) {
    data.firstSeq += data.history.length - HISTORY;
    data.history = data.history.slice(-HISTORY);
  }
  for (const bell of data.bells) bell.ring();
  return data.seq;
}

function requireRev(data: MemoryStateData, key: string, expect: Rev | undefined): void {
  const cell = data.cells.get(key);
  const rev = cell === undefined ? undefined : revOf(cell);
  if (rev === expect) return;
  throw new FarmError("STORE_CONFLICT", `${key} is at ${rev ?? "no version"}, not at ${expect ?? "no version"}`, { facts: { key } });
}

const listBelow = (data: MemoryStateData, prefix: string): Entry[] =>
  [...data.cells].filter(([key]) => isBelow(prefix, key)).map(([key, cell]) => entryOf(key, cell));

/** Versioned keys over a backing. */
export function createMemoryState(data: MemoryStateData, shared: MemoryShared): Omit<Store, "lease" | "close"> {
  return {
    async read(key) {
      keyParts(key);
      beginCall(shared, { verb: "read", target: key });
      const cell = data.cells.get(key);
      return cell === undefined ? undefined : entryOf(key, cell);
    },
    async write(key, value, expect) {
      keyParts(key);
      requireValueSize(key, value);
      const unknown = beginCall(shared, { verb: "write", target: key });
      requireRev(data, key, expect);
      const cell: Cell = { value: value.slice(), seq: record(data, key) };
      data.cells.set(key, cell);
      if (unknown) throw unknownOutcome({ verb: "write", target: key });
      return revOf(cell);
    },
    async remove(key, expect) {
      keyParts(key);
      const unknown = beginCall(shared, { verb: "remove", target: key });
      requireRev(data, key, expect);
      record(data, key);
      data.cells.delete(key);
      if (unknown) throw unknownOutcome({ verb: "remove", target: key });
    },
    async list(prefix) {
      prefixParts(prefix);
      beginCall(shared, { verb: "list", target: prefix });
      return listBelow(data, prefix);
    },
    watch: (prefix, options) => watchKeys(data, prefix, options.cursor, AbortSignal.any([options.signal, shared.closed])),
    async putBlob(source) {
      const chunks: Uint8Array[] = [];
      for await (const chunk of source) chunks.push(chunk);
      const bytes = Buffer.concat(chunks);
      const digest = createHash("sha256").update(bytes).digest("hex");
      beginCall(shared, { verb: "putBlob", target: digest });
      data.blobs.set(digest, Uint8Array.from(bytes));
      return `sha256:${digest}`;
    },
    getBlob: (digest, options) => readBlob(data, shared, digest, options?.signal),
  };
}

async function* watchKeys(data: MemoryStateData, prefix: string, cursor: string | undefined, signal: AbortSignal): AsyncGenerator<Change> {
  prefixParts(prefix);
  const bell = createBell();
  data.bells.add(bell);
  try {
    let at = seqOfCursor(data, cursor);
    while (!signal.aborted) {
      if (at === undefined || at + 1 < data.firstSeq) {
        at = data.seq;
        yield { type: "reset", entries: listBelow(data, prefix), cursor: `${data.id}:${at}` };
      }
      while (!signal.aborted && at < data.seq && at + 1 >= data.firstSeq) {
        at += 1;
        const change = changeAt(data, prefix, at);
        if (change !== undefined) yield change;
      }
      if (at >= data.seq) await bell.wait(signal);
    }
  } finally {
    data.bells.delete(bell);
  }
}

function seqOfCursor(data: MemoryStateData, cursor: string | undefined): number | undefined {
  const [id, seq] = cursor?.split(":") ?? [];
  return id === data.id && seq !== undefined && /^\d{1,15}$/.test(seq) && Number(seq) <= data.seq ? Number(seq) : undefined;
}

/** The change a sequence number stands for; undefined when it is elsewhere or a later one replaced it. */
function changeAt(data: MemoryStateData, prefix: string, seq: number): Change | undefined {
  const key = data.history[seq - data.firstSeq];
  if (key === undefined || !isBelow(prefix, key)) return undefined;
  const cell = data.cells.get(key);
  const cursor = `${data.id}:${seq}`;
  if (cell === undefined) return { type: "del", key, cursor };
  return cell.seq === seq ? { type: "put", entry: entryOf(key, cell), cursor } : undefined;
}

async function* readBlob(data: MemoryStateData, shared: MemoryShared, digest: string, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
  const hex = digestHex(digest);
  beginCall(shared, { verb: "getBlob", target: digest });
  const bytes = data.blobs.get(hex);
  if (bytes === undefined) throw new FarmError("STORE_UNAVAILABLE", `the memory store has no blob ${digest}`);
  for (let at = 0; at < bytes.byteLength; at += BLOB_CHUNK) {
    if (signal?.aborted === true) throw new FarmError("CANCELLED", `reading blob ${digest} was cancelled`);
    yield bytes.slice(at, at + BLOB_CHUNK);
  }
}
