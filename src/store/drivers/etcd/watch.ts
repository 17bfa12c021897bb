import { FarmError, toFarmError, type Clock, type Log } from "../../../base/index.ts";
import { pause } from "../../bell.ts";
import type { Change, Entry } from "../../contract.ts";
import { prefixParts } from "../../key.ts";
import { type Listing, listKeys } from "./list.ts";
import { type EtcdPlace, readClusterRevision, readGuarded, readHead, storeEntry } from "./place.ts";
import type { Pulse } from "./pulse.ts";
import { type Piece, watchOnce } from "./stream.ts";
import type { EtcdMember } from "./url.ts";
import { base64, rangeBelow, type WireEvent } from "./wire.ts";

/** What a watch needs of its store. */
export interface EtcdWatchSource {
  readonly place: EtcdPlace;
  readonly pulse: Pulse;
  readonly clock: Clock;
  readonly log: Log;
}

/** What is watched and how it is told. */
export interface WatchSubject {
  /** For the log. */
  readonly name: string;
  readonly range: { readonly key: string; readonly range_end?: string };
  /** The present state, and where the watch goes on from it. */
  readonly list: () => Promise<Listing>;
  readonly changeOf: (event: WireEvent, cursor: string) => Change;
}

/** All up to and with this revision was delivered. */
interface Position {
  readonly cluster: string;
  readonly revision: number;
}

const CURSOR = /^(\d{1,20}):(\d{1,15})$/;
const RETRY_MS = 200;
const LONG_MS = 1000;
/** A member that ends a watch is no news as long as the next one takes over at once. */
const QUIET_FAILURES = 1;

const cursorOf = ({ cluster, revision }: Position): string => `${cluster}:${revision}`;

function positionOf(cursor: string | undefined): Position | undefined {
  const [, cluster, revision] = CURSOR.exec(cursor ?? "") ?? [];
  return cluster === undefined ? undefined : { cluster, revision: Number(revision) };
}

/** Every change below a prefix in the order of revisions, from the last delivered one on, over whichever member answers. */
export async function* watchKeys(
  source: EtcdWatchSource,
  prefix: string,
  options: { readonly cursor?: string | undefined; readonly signal: AbortSignal },
): AsyncGenerator<Change> {
  prefixParts(prefix);
  const { place } = source;
  const subject: WatchSubject = {
    name: prefix,
    range: rangeBelow(prefix === "" ? place.keys : `${place.keys}${prefix}/`),
    list: () => listKeys(place, prefix),
    changeOf: (event, cursor) => changeOf(place, event, cursor),
  };
  yield* watchSubject(source, subject, options);
}

/** The entry of one key now, and each later one; undefined when it is absent. May leave some out, never the last. */
export async function* followKey(source: EtcdWatchSource, key: string, signal: AbortSignal): AsyncGenerator<Entry | undefined> {
  const { place } = source;
  const list = async (): Promise<Listing> => {
    const head = await readHead(place);
    const entry = await readGuarded(place, key);
    // An entry that is newer than the head comes again as an event.
    return { ...head, entries: entry === undefined ? [] : [storeEntry(place, entry)] };
  };
  const range = { key: base64(place.keys + key) };
  const subject: WatchSubject = { name: key, range, list, changeOf: (event, cursor) => changeOf(place, event, cursor) };
  for await (const change of watchSubject(source, subject, { signal })) {
    if (change.type === "reset") yield change.entries[0];
    else if (change.type === "put") yield change.entry;
    else if (change.type === "del") yield undefined;
  }
}

/** The same for anything that lies in a range of keys. */
export async function* watchSubject(
  source: EtcdWatchSource,
  subject: WatchSubject,
  { cursor, signal }: { readonly cursor?: string | undefined; readonly signal: AbortSignal },
): AsyncGenerator<Change> {
  const watch = new EtcdWatch(source, subject, positionOf(cursor));
  while (!signal.aborted) {
    try {
      yield* watch.run(signal);
    } catch (error) {
      watch.fail(error);
    }
    if (signal.aborted) return;
    const stale = watch.takeStale();
    if (stale !== undefined) yield stale;
    if (watch.isFailing) await pause(RETRY_MS, signal);
  }
}

class EtcdWatch {
  readonly #source: EtcdWatchSource;
  readonly #subject: WatchSubject;
  #at: Position | undefined;
  #failures = 0;
  #silent = false;
  #toldStale = false;
  /** When the cluster was last heard of. */
  #goodMs: number;

  constructor(source: EtcdWatchSource, subject: WatchSubject, at: Position | undefined) {
    this.#source = source;
    this.#subject = subject;
    this.#at = at;
    this.#goodMs = source.clock.monotonicMs();
  }

  get isFailing(): boolean {
    return this.#failures > 0;
  }

  /** A list was refused, or an entry is damaged: everything is read again. */
  fail(error: unknown): void {
    const { code, message } = toFarmError(error);
    this.#at = undefined;
    this.#fail(message, code);
    this.#silent = true;
  }

  #fail(problem: string, code?: string): void {
    if (this.#failures === QUIET_FAILURES)
      this.#source.log.warn("the store does not answer a watch", { prefix: this.#subject.name, code, problem });
    this.#failures += 1;
  }

  /** That the store is away, once. */
  takeStale(): Change | undefined {
    if (this.#toldStale || (!this.#silent && this.#failures <= QUIET_FAILURES)) return undefined;
    this.#toldStale = true;
    return { type: "stale", sinceMs: this.#source.clock.monotonicMs() - this.#goodMs };
  }

  *#revive(): Generator<Change> {
    this.#failures = 0;
    this.#silent = false;
    this.#goodMs = this.#source.clock.monotonicMs();
    if (this.#toldStale) yield { type: "live" };
    this.#toldStale = false;
  }

  /** Until the watch at one member ends. @throws what a list throws */
  async *run(signal: AbortSignal): AsyncGenerator<Change> {
    if (this.#at === undefined) yield* this.#reset();
    const at = this.#at;
    if (at === undefined) return;
    const startMs = this.#source.clock.monotonicMs();
    const carrier = this.#createCarrier();
    const call = {
      range: this.#subject.range,
      from: at.revision + 1,
      signal: AbortSignal.any([signal, carrier.silence]),
      onMember: carrier.take,
    };
    try {
      for await (const piece of watchOnce(this.#source.place.gateway, call)) {
        if (piece.kind === "created" && !(await this.#accept(piece, carrier.member()))) return;
        if (piece.kind === "ended" && !signal.aborted) this.#end(piece.problem, carrier.member() === undefined ? startMs : undefined);
        yield* this.#take(piece);
      }
    } finally {
      carrier.release();
    }
  }

  /** A member that was asked in vain for this long is silence. */
  #end(problem: string, askedMs: number | undefined): void {
    if (askedMs !== undefined && this.#source.clock.monotonicMs() - askedMs > LONG_MS) this.#silent = true;
    this.#fail(problem);
  }

  *#take(piece: Piece): Generator<Change> {
    if (piece.kind === "created") yield* this.#revive();
    if (piece.kind === "events") yield* this.#deliver(piece);
    if (piece.kind === "compacted") this.#forget();
  }

  /** The member that carries this watch, once it is known, with its pulse. */
  #createCarrier(): {
    readonly silence: AbortSignal;
    readonly take: (member: EtcdMember) => void;
    readonly member: () => EtcdMember | undefined;
    readonly release: () => void;
  } {
    const silence = new AbortController();
    let member: EtcdMember | undefined;
    let unfollow: (() => void) | undefined;
    const onSilence = (): void => {
      this.#silent = true;
      silence.abort();
    };
    const onBeat = (): void => {
      this.#goodMs = this.#source.clock.monotonicMs();
    };
    const take = (found: EtcdMember): void => {
      member = found;
      unfollow = this.#source.pulse.follow(found, { onBeat, onSilence });
    };
    return { silence: silence.signal, take, member: () => member, release: () => unfollow?.() };
  }

  async *#reset(): AsyncGenerator<Change> {
    const { entries, revision, cluster } = await this.#subject.list();
    yield* this.#revive();
    this.#at = { cluster, revision };
    yield { type: "reset", entries, cursor: cursorOf(this.#at) };
  }

  /** Whether a member that took the watch can be believed: after silence it must speak for the cluster; its history must be ours. */
  async #accept(created: Extract<Piece, { kind: "created" }>, member: EtcdMember | undefined): Promise<boolean> {
    const { gateway } = this.#source.place;
    const at = this.#at;
    if (at === undefined || created.cluster !== at.cluster) return this.#forget();
    // A member may lag behind; a cluster that does was restored from a backup.
    if (created.revision < at.revision && (await readClusterRevision(this.#source.place)) < at.revision) return this.#forget();
    if (!this.#toldStale || member === undefined || (await gateway.isAlive(member, 2000))) return true;
    gateway.leave(member, "it has no majority");
    this.#fail("the member has no majority");
    return false;
  }

  #forget(): false {
    this.#at = undefined;
    return false;
  }

  /** Events of one revision may be cut apart: the cursor moves on with the last of them. */
  *#deliver({ events, hasMore }: Extract<Piece, { kind: "events" }>): Generator<Change> {
    for (const [index, event] of events.entries()) {
      const at = this.#at;
      if (at === undefined) throw new FarmError("INTERNAL", "a watch without a position brought events");
      if (event.revision <= at.revision) continue;
      const following = events[index + 1]?.revision ?? (hasMore ? event.revision : undefined);
      this.#at = { cluster: at.cluster, revision: following === event.revision ? at.revision : event.revision };
      yield this.#subject.changeOf(event, cursorOf(this.#at));
    }
  }
}

function changeOf(place: EtcdPlace, event: WireEvent, cursor: string): Change {
  if (event.removed) return { type: "del", key: event.key.slice(place.keys.length), cursor };
  return { type: "put", entry: storeEntry(place, event), cursor };
}
