import { setImmediate as breathe } from "node:timers/promises";

import type { AuditEntry } from "./audit-entry.ts";
import type { StoredEntry } from "./read-chain.ts";
import { openEntry, type AuditTrust, type Seal } from "./sealed-entry.ts";

/** An entry and its digest, noted outside of the store: what the log must still hold. */
export interface PinnedHead {
  readonly seq: number;
  readonly digest: string;
}

/** Where the chain breaks first. */
export interface AuditBreak {
  readonly seq: number;
  /**
   * `changed`: its text is not what its digest says, or it does not follow from the one before; `missing`; `reordered`: another entry stands in its
   * place; `cut`: the log ends before it; `forged`: its signature is not that of an admin of the farm; `unsigned`: it is not signed, and earlier ones are.
   */
  readonly kind: "changed" | "missing" | "reordered" | "cut" | "forged" | "unsigned";
  readonly text: string;
}

/** What verifying found. */
export interface AuditVerdict {
  readonly isWhole: boolean;
  readonly broken?: AuditBreak;
  /** The first entry that was looked at, and the last one that follows from it. */
  readonly from: number;
  readonly end: PinnedHead;
  readonly entries: number;
  /** Entries with the signature of an admin of this farm. */
  readonly signed: number;
  /** Signed ones whose signers are not known here: another authority, or none was given. */
  readonly unknownSigners: number;
  /** Changes that were begun and whose end is not in the log: their process ended in between, or they go on. */
  readonly open: readonly AuditEntry[];
}

/** What a chain is verified against. */
export interface VerifySettings {
  /** What stands before its first entry. */
  readonly base: PinnedHead;
  /** Where it must end, or reach at least. */
  readonly head?: PinnedHead;
  /** What it must hold. */
  readonly pins: readonly PinnedHead[];
  readonly trust: AuditTrust | undefined;
}

const BREATHE_EVERY = 8;
const MAX_OPEN = 100;

/** Verifies entries in order: each whole, each in its place, each from the one before. Ends at the first that is not. */
export async function verifyChain(entries: AsyncIterable<StoredEntry>, settings: VerifySettings): Promise<AuditVerdict> {
  const walk = new Walk(settings);
  for await (const stored of entries) {
    if (walk.count % BREATHE_EVERY === BREATHE_EVERY - 1) await breathe();
    if (!walk.take(stored)) break;
  }
  return walk.verdict();
}

class Walk {
  readonly #settings: VerifySettings;
  readonly #begun = new Map<number, AuditEntry>();
  readonly #pins: Map<number, string>;
  #end: PinnedHead;
  #broken: AuditBreak | undefined;
  #signed = 0;
  #unknown = 0;
  count = 0;

  constructor(settings: VerifySettings) {
    this.#settings = settings;
    this.#end = settings.base;
    this.#pins = new Map(
      [...settings.pins, ...(settings.head === undefined ? [] : [settings.head])].map(({ seq, digest }) => [seq, digest]),
    );
  }

  /** False = the chain breaks here. */
  take({ seq, bytes }: StoredEntry): boolean {
    this.count += 1;
    const opened = bytes === undefined ? undefined : openEntry(bytes, this.#settings.trust);
    if (opened === undefined) return this.#break(seq, "missing", `entry ${seq} is missing`);
    if (opened.kind !== "entry") return this.#break(seq, "changed", `entry ${seq} was changed: ${opened.problem}`);
    const { entry, digest, seal } = opened;
    if (entry.seq !== seq) return this.#break(seq, "reordered", `in the place of entry ${seq} stands entry ${entry.seq}`);
    if (entry.previous !== this.#end.digest) {
      return this.#break(seq, "changed", `entry ${seq} does not follow from entry ${seq - 1}: one of the two was replaced`);
    }
    if (!this.#takeSeal(seq, seal)) return false;
    const pinned = this.#pins.get(seq);
    if (pinned !== undefined && pinned !== digest) {
      return this.#break(seq, "changed", `entry ${seq} has the digest ${digest}, and ${pinned} was noted for it: the log was rewritten`);
    }
    this.#end = { seq, digest };
    this.#note(entry);
    return true;
  }

  #takeSeal(seq: number, seal: Seal): boolean {
    if (seal.kind === "forged") return this.#break(seq, "forged", `entry ${seq} is not signed by who may: ${seal.problem}`);
    if (seal.kind === "signed") this.#signed += 1;
    else if (seal.kind === "unknown-signer") this.#unknown += 1;
    else if (this.#signed + this.#unknown > 0) return this.#break(seq, "unsigned", `entry ${seq} is not signed, and those before it are`);
    return true;
  }

  #note(entry: AuditEntry): void {
    if (entry.phase === "begun") this.#begun.set(entry.seq, entry);
    if (entry.phase === "ended" && entry.of !== undefined) this.#begun.delete(entry.of);
  }

  #break(seq: number, kind: AuditBreak["kind"], text: string): false {
    this.#broken = { seq, kind, text };
    return false;
  }

  verdict(): AuditVerdict {
    const { base } = this.#settings;
    const broken = this.#broken ?? this.#endProblem();
    return {
      isWhole: broken === undefined,
      ...(broken === undefined ? {} : { broken }),
      from: base.seq + 1,
      end: this.#end,
      entries: this.#end.seq - base.seq,
      signed: this.#signed,
      unknownSigners: this.#unknown,
      open: [...this.#begun.values()].slice(-MAX_OPEN),
    };
  }

  #endProblem(): AuditBreak | undefined {
    const furthest = Math.max(0, ...this.#pins.keys());
    if (furthest <= this.#end.seq) return undefined;
    return {
      seq: this.#end.seq + 1,
      kind: "cut",
      text: `the log ends with entry ${this.#end.seq}, and it once had entry ${furthest}: its end was cut off`,
    };
  }
}
