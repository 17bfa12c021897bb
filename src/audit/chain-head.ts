import { FarmError, instant, type Instant } from "../base/index.ts";
import type { Rev, Store } from "../store/index.ts";
import { GENESIS } from "./audit-entry.ts";

/** A place in the chain: the entry `seq`, which has this digest; `segment` counts the closed segments up to there. */
export interface ChainPlace {
  readonly segment: number;
  readonly seq: number;
  readonly digest: string;
}

/** Where the chain ends, up to where it is packed into segments, and up to where it was let go. */
export interface ChainHead {
  readonly seq: number;
  readonly digest: string;
  readonly at: Instant;
  readonly closed: ChainPlace;
  readonly base: ChainPlace;
}

/** The head and the version it was read at; undefined = it does not exist yet. */
export interface KnownHead {
  readonly head: ChainHead;
  readonly rev: Rev | undefined;
}

/** Keys of the log. */
export const HEAD_KEY = "audit/head";
export const ENTRIES = "audit/entries";
export const SEGMENTS = "audit/segments";

const DIGITS = 12;
const numbered = (number: number): string => String(number).padStart(DIGITS, "0");

/** The key of a live entry. */
export const entryKey = (seq: number): string => `${ENTRIES}/${numbered(seq)}`;

/** The key of a closed segment; the first one is 1. */
export const segmentKey = (segment: number): string => `${SEGMENTS}/${numbered(segment)}`;

/** The number at a key's end; undefined = it has none. */
export function numberOf(key: string): number | undefined {
  const last = key.split("/").at(-1) ?? "";
  return /^\d{12}$/.test(last) ? Number(last) : undefined;
}

const NOWHERE: ChainPlace = { segment: 0, seq: 0, digest: GENESIS };

/** Of a log without an entry. */
export const EMPTY_HEAD: ChainHead = { seq: 0, digest: GENESIS, at: instant(0), closed: NOWHERE, base: NOWHERE };

/** The head as it is stored; undefined = there is none. @throws AUDIT_DAMAGED */
export async function readHead(state: Store): Promise<KnownHead | undefined> {
  const stored = await state.read(HEAD_KEY);
  if (stored === undefined) return undefined;
  const head = headIn(stored.value);
  if (head === undefined) throw new FarmError("AUDIT_DAMAGED", `the head of the audit log (${HEAD_KEY}) cannot be read`);
  return { head, rev: stored.rev };
}

/** The octets of a head. */
export const headBytes = (head: ChainHead): Uint8Array => new TextEncoder().encode(JSON.stringify(head));

function headIn(bytes: Uint8Array): ChainHead | undefined {
  try {
    const value: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    return isHead(value) ? value : undefined;
  } catch {
    return undefined; // told by the caller
  }
}

const isPlace = (value: unknown): value is { readonly seq: number; readonly digest: string; readonly segment?: unknown } =>
  typeof value === "object" &&
  value !== null &&
  "seq" in value &&
  Number.isSafeInteger(value.seq) &&
  "digest" in value &&
  typeof value.digest === "string" &&
  /^[0-9a-f]{64}$/.test(value.digest);

const isClosedPlace = (value: unknown): value is ChainPlace => isPlace(value) && Number.isSafeInteger(value.segment);

function isHead(value: unknown): value is ChainHead {
  if (!isPlace(value) || !("at" in value) || typeof value.at !== "number") return false;
  if (!("closed" in value) || !isClosedPlace(value.closed) || !("base" in value) || !isClosedPlace(value.base)) return false;
  return value.base.seq <= value.closed.seq && value.closed.seq <= value.seq;
}
