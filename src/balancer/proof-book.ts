import { LRUCache } from "lru-cache";

/** What one node said of one name. */
export const UNKNOWN = 0;
export const PROVED = 1;
export const FAILED = 2;
/** One of UNKNOWN, PROVED and FAILED. */
export type Proof = typeof UNKNOWN | typeof PROVED | typeof FAILED;

/** What is known of one name on one binding port. */
export interface NameRecord {
  readonly host: string;
  readonly port: number;
  /** One Proof a column, and a column a node: small, so that many names times many nodes fit. */
  proofs: Uint8Array;
  /** Monotonic milliseconds when the nodes were last asked; -Infinity = never. */
  askedAt: number;
  /** Monotonic milliseconds of the last word from a node's feed: an older answer to a question does not undo it. */
  toldAt: number;
  /** The question that is under way: single flight. */
  asking?: Promise<void>;
  /** The level it failed open at when that was last logged. */
  openLevel?: string;
}

/** What every node proved of every name that was asked for lately. Bounded: the name that was not used longest goes first. */
export class ProofBook {
  readonly #names: LRUCache<string, NameRecord>;
  readonly #freeColumns: number[] = [];
  #columns = 0;

  constructor(maxNames: number) {
    this.#names = new LRUCache({ max: maxNames });
  }

  /** A column for a node that comes. */
  takeColumn(): number {
    return this.#freeColumns.pop() ?? this.#columns++;
  }

  /** Forgets a node that left and reuses its column. */
  freeColumn(column: number): void {
    this.forget(column);
    this.#freeColumns.push(column);
  }

  /** Forgets everything one node said. */
  forget(column: number): void {
    for (const record of this.#names.values()) {
      if (column < record.proofs.length) record.proofs[column] = UNKNOWN;
    }
  }

  /** The record of a name, made when it is new; counts as use. */
  record(host: string, port: number): NameRecord {
    const key = keyOf(host, port);
    const known = this.#names.get(key);
    if (known !== undefined) return known;
    const record: NameRecord = {
      host,
      port,
      proofs: new Uint8Array(this.#columns),
      askedAt: Number.NEGATIVE_INFINITY,
      toldAt: Number.NEGATIVE_INFINITY,
    };
    this.#names.set(key, record);
    return record;
  }

  /** Notes what a node's feed tells of a name: always for a name that is known, and for others while there is room. */
  tell(column: number, change: { readonly host: string; readonly port: number; readonly proved: boolean }, now: number): void {
    const known = this.#names.peek(keyOf(change.host, change.port));
    if (known === undefined && this.#names.size >= this.#names.max) return;
    const record = known ?? this.record(change.host, change.port);
    record.toldAt = now;
    note(record, column, change.proved ? PROVED : FAILED);
  }

  get size(): number {
    return this.#names.size;
  }

  get limit(): number {
    return this.#names.max;
  }

  /** Records from the most lately used on. */
  recent(count: number): readonly NameRecord[] {
    const records: NameRecord[] = [];
    for (const record of this.#names.values()) {
      if (records.length >= count) break;
      records.push(record);
    }
    return records;
  }

  /** How many names a node proved and failed. */
  count(column: number): { proved: number; failed: number } {
    const count = { proved: 0, failed: 0 };
    for (const record of this.#names.values()) {
      const proof = proofOf(record, column);
      if (proof === PROVED) count.proved += 1;
      if (proof === FAILED) count.failed += 1;
    }
    return count;
  }
}

const keyOf = (host: string, port: number): string => (port === 443 ? host : `${host}:${port}`);

/** What a node said of a name. */
export const proofOf = (record: NameRecord, column: number): Proof => (record.proofs[column] ?? UNKNOWN) as Proof; // only note() writes it

/** Writes what a node said of a name. */
export function note(record: NameRecord, column: number, proof: Proof): void {
  if (column >= record.proofs.length) {
    const wider = new Uint8Array(column + 1);
    wider.set(record.proofs);
    record.proofs = wider;
  }
  record.proofs[column] = proof;
}
