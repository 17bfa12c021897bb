import { FarmError, type Clock, type Log } from "../base/index.ts";
import type { PreparedCertificate } from "../pki/index.ts";
import { namesBeyond, type CentralState } from "./central-state.ts";
import { fetchFile, type FetchSource } from "./fetch-file.ts";
import type { KeptCopies } from "./keep.ts";
import {
  afterLook,
  retryPause,
  sameService,
  withoutGood,
  worthRetry,
  type GoodVersion,
  type KnownFile,
  type Looked,
} from "./known-file.ts";
import type { PasswordSource } from "./passwords.ts";
import type { ReadQueue, Urgency } from "./read-queue.ts";
import type { ReadingPool } from "./reading-pool.ts";

/** What loading needs. */
export interface LoaderParts {
  readonly state: CentralState;
  readonly source: FetchSource;
  readonly pool: ReadingPool;
  readonly queue: ReadQueue;
  readonly passwords: PasswordSource;
  readonly keep: KeptCopies | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

const MAX_FAILING = 4_096;

const AWAY: Looked = { stamp: "", reading: { status: "unreadable", problem: "the store cannot be reached" } };

/** Reads files into the state, each once at a time. */
export class Loader {
  readonly #parts: LoaderParts;
  readonly #inFlight = new Map<string, Promise<void>>();
  /** Files that a refresh asked for while they were being read. */
  readonly #again = new Set<string>();
  /** Bad file → when it is looked at again, monotonic. */
  readonly #failing = new Map<string, number>();

  constructor(parts: LoaderParts) {
    this.#parts = parts;
  }

  /**
   * Looks at a file and takes over what it is now. A `refresh` that meets a look under way has it done once more: the file may have
   * changed after its bytes were taken. @throws CERTIFICATES_OVERLOADED, CERTIFICATES_READER_FAILED
   */
  load(file: string, urgency: Urgency): Promise<void> {
    const running = this.#inFlight.get(file);
    if (running !== undefined) {
      if (urgency === "refresh") this.#again.add(file);
      return running;
    }
    const flight = this.#loadAgain(file, urgency).finally(() => this.#inFlight.delete(file));
    this.#inFlight.set(file, flight);
    return flight;
  }

  isLoading(file: string): boolean {
    return this.#inFlight.has(file);
  }

  /** Key and chain; reads the file again when they are not in memory any longer. @throws as load */
  async prepared(name: string): Promise<PreparedCertificate | undefined> {
    const { state, log } = this.#parts;
    const file = state.listing.resolve(name);
    if (file === undefined) return undefined;
    const known = state.known.get(file);
    if (known !== undefined && known.good === undefined) return undefined;
    const held = this.#held(file);
    if (held !== undefined) return held;
    await this.load(file, "demand");
    const again = this.#held(file);
    const now = state.known.get(file);
    if (again !== undefined || now?.good === undefined) return again;
    state.known.set(file, withoutGood(file, now));
    log.warn("the version of a certificate file in use is lost", { file });
    state.notify({ files: [file], listingChanged: false });
    return undefined;
  }

  /** Takes files that are not listed any longer out of the state. The caller notifies. */
  remove(files: readonly string[]): void {
    const { state, keep } = this.#parts;
    for (const file of files) {
      this.#failing.delete(file);
      state.forget(file);
    }
    if (files.length > 0) keep?.retain((file) => state.listing.has(file));
  }

  /** Bad files whose pause is over. */
  due(): readonly string[] {
    const now = this.#parts.clock.monotonicMs();
    const files = [...this.#failing].filter(([, at]) => at <= now).map(([file]) => file);
    // Until the look is done it is not due again.
    for (const file of files) this.#failing.set(file, now + 60_000);
    return files;
  }

  async #loadAgain(file: string, urgency: Urgency): Promise<void> {
    try {
      do {
        this.#again.delete(file);
        await this.#loadOnce(file, urgency);
      } while (this.#again.has(file));
    } finally {
      this.#again.delete(file);
    }
  }

  async #loadOnce(file: string, urgency: Urgency): Promise<void> {
    const { state, queue, keep } = this.#parts;
    // With the store gone the node's own copy comes first: a share that hangs would hold up the handshake until its deadline.
    const isAway = state.staleSince !== undefined && state.known.peek(file) === undefined;
    if (isAway && (await keep?.get(file)) !== undefined) return this.#apply(file, AWAY);
    const looked = await queue.run(urgency, () => lookAt(this.#parts, file));
    if (looked !== undefined) return this.#apply(file, looked);
    if (!state.listing.delete(file)) return;
    this.remove([file]);
    state.notify({ files: [file], listingChanged: true });
  }

  async #apply(file: string, looked: Looked): Promise<void> {
    const { state, clock, keep } = this.#parts;
    const former = looked.reading.status === "ok" ? state.known.peek(file) : await withEarlier(this.#parts, file, looked.stamp);
    if (!state.listing.has(file)) return;
    const before = state.known.peek(file);
    const next = afterLook(file, former, looked, clock.now());
    state.known.set(file, next);
    const { good } = next;
    const certificate = looked.reading.prepared;
    if (good?.stamp === looked.stamp && certificate !== undefined) {
      state.prepared.set(file, { stamp: good.stamp, certificate });
      keep?.put({ file, stamp: good.stamp, leaf: good.leaf, prepared: certificate });
    }
    this.#tell(file, former, next);
    const covers = learnNames(state, file, good);
    if (before !== undefined && !sameService(before, next)) state.notify({ files: [file], listingChanged: false });
    else if (covers) state.notifyCovering();
  }

  #tell(file: string, former: KnownFile | undefined, next: KnownFile): void {
    const { clock, log } = this.#parts;
    const room = this.#failing.has(file) || this.#failing.size < MAX_FAILING;
    if (worthRetry(next) && room) this.#failing.set(file, clock.monotonicMs() + retryPause(next.failures));
    else this.#failing.delete(file);
    if (next.bad !== undefined && former?.bad?.problem !== next.bad.problem) {
      const { status, problem } = next.bad;
      log.warn("a certificate file cannot be used", { file, status, problem, servingEarlierVersion: next.good !== undefined });
    } else if (former?.bad !== undefined && next.bad === undefined) log.info("a certificate file can be used again", { file });
  }

  #held(file: string): PreparedCertificate | undefined {
    const { known, prepared } = this.#parts.state;
    const good = known.get(file)?.good;
    if (good?.prepared !== undefined) return good.prepared;
    const held = prepared.get(file);
    return held !== undefined && held.stamp === good?.stamp ? held.certificate : undefined;
  }
}

async function lookAt(parts: LoaderParts, file: string): Promise<Looked | undefined> {
  const { source, pool, passwords, clock } = parts;
  const fetched = await fetchFile(source, file);
  if (fetched.kind === "absent") return undefined;
  if (fetched.kind === "failed") return fetched;
  const { bytes, keyBytes, stamp } = fetched;
  const key = keyBytes === undefined ? {} : { keyBytes };
  const reading = await pool.read({ bytes, ...key, passwords: passwords.for(file), now: clock.now() });
  return { stamp, reading };
}

/**
 * What was known before a look that found no valid file, with the key of the version in use held fast: the file itself cannot give it
 * back any longer. When nothing is in use the node's own copy takes that place, as after a start with the store gone.
 */
async function withEarlier(parts: LoaderParts, file: string, stamp: string): Promise<KnownFile | undefined> {
  const former = parts.state.known.peek(file);
  const good = former?.good;
  if (former === undefined || good === undefined) return withKept(parts, file, former);
  if (good.stamp === stamp || good.prepared !== undefined) return former;
  const held = parts.state.prepared.peek(file);
  if (held?.stamp === good.stamp) return { ...former, good: { ...good, prepared: held.certificate } };
  const kept = await parts.keep?.get(file);
  return kept?.stamp === good.stamp ? { ...former, good: { ...good, prepared: kept.prepared } } : former;
}

async function withKept(parts: LoaderParts, file: string, former: KnownFile | undefined): Promise<KnownFile | undefined> {
  const kept = await parts.keep?.get(file);
  if (kept === undefined) return former;
  const { stamp, leaf, prepared } = kept;
  const base = former ?? { stamp: "", status: "unreadable" as const, readAt: parts.clock.now(), failures: 0 };
  return { ...base, knowledge: { file, state: "usable", leaf }, good: { stamp, leaf, prepared } };
}

/** True when the file's certificate covers a host that it did not cover before, or no longer covers one. */
function learnNames(state: CentralState, file: string, good: GoodVersion | undefined): boolean {
  const names = good === undefined ? [] : namesBeyond(file, good.leaf.dnsNames);
  return good === undefined || names.length === 0 ? state.covering.forget(file) : state.covering.learn(file, good.stamp, names);
}

/** What a cancelled caller gets; the reading itself goes on for the others that wait for it. */
export function cancelled(what: string): FarmError {
  return new FarmError("CANCELLED", `${what} was cancelled`);
}
