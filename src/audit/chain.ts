import { randomBytes } from "node:crypto";

import { FarmError, instant, type Clock, type Log } from "../base/index.ts";
import type { Signing } from "../identity/index.ts";
import type { Rev, Store } from "../store/index.ts";
import type { AuditEntry } from "./audit-entry.ts";
import { EMPTY_HEAD, entryKey, HEAD_KEY, headBytes, readHead, type ChainHead, type KnownHead } from "./chain-head.ts";
import { createKey, isConflict, isUnknown } from "./certain-write.ts";
import { rebuildHead } from "./rebuild-head.ts";
import { openEntry, sealEntry, trustIn } from "./sealed-entry.ts";
import { segmentHolds } from "./segment.ts";

/** What the log is written with. */
export interface ChainParts {
  readonly state: Store;
  readonly clock: Clock;
  readonly log: Log;
  /** Absent = a farm without identities: entries are not signed. */
  readonly signing?: Signing | undefined;
}

/** An entry before it has its place in the chain. */
export type AuditDraft = Omit<AuditEntry, "seq" | "at" | "id" | "previous">;

/** What was written, and the head with it in. */
export interface Appended {
  readonly seq: number;
  readonly head: ChainHead;
}

/** Writers that meet at one place go on from each other; this often in a row says that something else is wrong. */
const MAX_TRIES = 200;

/**
 * One hash chain, written to by any number of processes. An entry's place is taken by creating its key, which one process only can; then the
 * head is moved there by compare-and-set. A process that ends in between leaves an entry that is in the chain already: the next one moves the
 * head for it.
 */
export class Chain {
  readonly #parts: ChainParts;
  #known: KnownHead | undefined;
  #highest: ChainHead | undefined;
  #cut: ChainHead | undefined;
  #last: Promise<unknown> = Promise.resolve();

  constructor(parts: ChainParts) {
    this.#parts = parts;
  }

  /** The furthest end that this process saw; undefined = none yet. */
  get seen(): ChainHead | undefined {
    return this.#highest;
  }

  /** Writes an entry; entries of one process are written one after the other. @throws the store's errors, AUDIT_DAMAGED */
  append(draft: AuditDraft): Promise<Appended> {
    return this.#queue(async () => {
      const appended = await this.#append(draft);
      const cut = this.#cut;
      this.#cut = undefined;
      return cut === undefined ? appended : { ...appended, head: (await this.#append(cutNote(cut))).head };
    });
  }

  /** Moves what the head says of packed and let-go segments to what `decide` makes of it; undefined = it stays. */
  moveMarks(decide: (head: ChainHead) => Pick<ChainHead, "closed" | "base"> | undefined): Promise<boolean> {
    return this.#queue(async () => {
      for (let tries = 0; tries < MAX_TRIES; tries += 1) {
        const known = await this.#stored();
        const marks = decide(known.head);
        if (marks === undefined) return false;
        if ((await this.#moveHead(known, { ...known.head, ...marks })) !== undefined) return true;
      }
      return false;
    });
  }

  /** The head as it is now, moved over entries whose writers ended before they could. */
  head(): Promise<ChainHead> {
    return this.#queue(async () => (await this.#forward(await this.#stored())).head);
  }

  #queue<T>(task: () => Promise<T>): Promise<T> {
    const done = this.#last.then(task);
    this.#last = done.catch(() => {}); // the caller has it
    return done;
  }

  async #append(draft: AuditDraft): Promise<Appended> {
    const { state, clock, signing } = this.#parts;
    const id = randomBytes(8).toString("hex");
    for (let tries = 0; tries < MAX_TRIES; tries += 1) {
      const known = this.#known ?? (await this.#stored());
      const seq = known.head.seq + 1;
      const entry: AuditEntry = { seq, at: instant(Math.round(clock.now())), ...draft, id, previous: known.head.digest };
      const { bytes, digest } = sealEntry(entry, signing);
      const rev = await createKey(state, entryKey(seq), bytes);
      if (rev === undefined) {
        this.#known = undefined;
        this.#known = await this.#forward(await this.#stored());
        continue;
      }
      const head = await this.#take(known, { seq, digest, rev, at: entry.at });
      if (head !== undefined) return { seq, head };
    }
    throw new FarmError("AUDIT_BUSY", `no place in the audit log could be had in ${MAX_TRIES} tries: others write all the time`);
  }

  /** Moves the head to an entry that was created; undefined = its place turned out not to be the chain's end, and it was taken back. */
  async #take(known: KnownHead, made: { seq: number; digest: string; rev: Rev; at: AuditEntry["at"] }): Promise<ChainHead | undefined> {
    const { seq, digest, at, rev } = made;
    let from = known;
    for (let tries = 0; tries < MAX_TRIES; tries += 1) {
      const moved = await this.#moveHead(from, { ...from.head, seq, digest, at });
      if (moved !== undefined) return moved.head;
      from = await this.#stored();
      if (from.head.seq >= seq) {
        if (await this.#isIn(from.head, seq, digest)) return from.head;
        break;
      }
      // Packing and letting go move other parts of the head only.
      if (from.head.digest !== known.head.digest) break;
    }
    this.#known = undefined;
    await this.#takeBack(seq, rev);
    return undefined;
  }

  #tellCut(before: ChainHead, now: ChainHead): void {
    this.#cut = before;
    this.#parts.log.error("the end of the audit log was cut off", {
      had: `${before.seq}:${before.digest}`,
      has: `${now.seq}:${now.digest}`,
    });
  }

  async #isIn(head: ChainHead, seq: number, digest: string): Promise<boolean> {
    if (seq <= head.closed.seq) return segmentHolds(this.#parts.state, { head, seq, digest });
    const stored = await this.#parts.state.read(entryKey(seq));
    const opened = stored === undefined ? undefined : openEntry(stored.value, undefined);
    return opened?.kind === "entry" && opened.digest === digest;
  }

  async #takeBack(seq: number, rev: Rev): Promise<void> {
    try {
      await this.#parts.state.remove(entryKey(seq), rev);
    } catch (error) {
      if (!isConflict(error)) throw error; // it is gone, or another's by now
    }
  }

  async #stored(): Promise<KnownHead> {
    const before = this.#highest;
    const stored = (await readHead(this.#parts.state)) ?? (await rebuildHead(this.#parts)) ?? { head: EMPTY_HEAD, rev: undefined };
    if (before !== undefined && stored.head.seq < before.seq) {
      this.#tellCut(before, stored.head);
      this.#highest = undefined;
    }
    return this.#learn(stored);
  }

  /** Over entries that are in the chain and that the head does not know yet. */
  async #forward(known: KnownHead): Promise<KnownHead> {
    let at = known;
    for (let tries = 0; tries < MAX_TRIES; tries += 1) {
      const seq = at.head.seq + 1;
      const stored = await this.#parts.state.read(entryKey(seq));
      if (stored === undefined) break;
      const opened = openEntry(stored.value, trustIn(this.#parts.signing));
      const isNext = opened.kind === "entry" && opened.entry.seq === seq && opened.entry.previous === at.head.digest;
      if (isNext && (this.#parts.signing === undefined || opened.seal.kind === "signed")) {
        const moved = await this.#moveHead(at, { ...at.head, seq, digest: opened.digest, at: opened.entry.at });
        at = moved ?? (await this.#stored());
        continue;
      }
      const fresh = await this.#stored();
      if (fresh.head.seq === at.head.seq) await this.#setAside(seq, stored.rev);
      at = fresh;
    }
    return at;
  }

  /** What stands behind the end and does not follow from it would keep everybody from writing: it goes to where `audit verify` tells of it. */
  async #setAside(seq: number, rev: Rev): Promise<void> {
    const stored = await this.#parts.state.read(entryKey(seq));
    if (stored === undefined || stored.rev !== rev) return;
    this.#parts.log.error("an entry behind the end of the audit log does not follow from it and was set aside", { seq });
    await createKey(this.#parts.state, `audit/strays/${seq % MAX_STRAYS}`, stored.value);
    await this.#takeBack(seq, rev);
  }

  async #moveHead(from: KnownHead, head: ChainHead): Promise<KnownHead | undefined> {
    const bytes = headBytes(head);
    try {
      return this.#learn({ head, rev: await this.#parts.state.write(HEAD_KEY, bytes, from.rev) });
    } catch (error) {
      if (!isConflict(error) && !isUnknown(error)) throw error;
    }
    // An answer that was lost: the head says itself whether it was moved.
    const stored = await this.#parts.state.read(HEAD_KEY);
    if (stored === undefined || !Buffer.from(stored.value).equals(bytes)) return undefined;
    return this.#learn({ head, rev: stored.rev });
  }

  #learn(known: KnownHead): KnownHead {
    this.#known = known;
    if (known.head.seq >= (this.#highest?.seq ?? 0)) this.#highest = known.head;
    return known;
  }
}

const MAX_STRAYS = 16;

/** The chain itself says that it once was longer. */
const cutNote = ({ seq, digest }: ChainHead): AuditDraft => ({
  caller: { name: "certfarm", role: "admin", by: "local" },
  action: "audit.cut",
  target: `the log once had the end ${seq}:${digest}; entries after this place were taken away`,
  phase: "noted",
});
