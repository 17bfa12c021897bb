import { FarmError, toFarmError, type Clock, type Log } from "../base/index.ts";
import type { Entry, FarmStore, Rev, Store } from "../store/index.ts";
import { isConflict, isDamage } from "./error-kinds.ts";
import { createBell, follow, type Bell } from "./follow.ts";
import { removeKey } from "./remove-key.ts";
import { answerPrefix, decodeRequest, encodeAnswer, requestPrefix, type StoredAnswer, type StoredRequest } from "./request-record.ts";

/** Answers one request; what it throws is carried to the sender. */
export type RequestHandler = (verb: string, input: unknown) => Promise<unknown>;

interface Server {
  readonly store: FarmStore;
  readonly clock: Clock;
  readonly log: Log;
  readonly node: string;
  readonly handler: RequestHandler;
  readonly signal: AbortSignal;
}

/** What this process knows of a request it saw. */
interface Seen {
  readonly sinceMs: number;
  /** It came while this process did not look (before it started, or the store was away): nobody knows how old it is. */
  readonly isOld: boolean;
  state: "waiting" | "asking" | "working" | "over";
  /** Of the answer key while this process has it. */
  answerRev?: Rev;
}

const AT_ONCE = 8;
const RESYNC_MS = 1_000;
/** How long a sender of an old request has to say that it still waits. */
const CONFIRM_MS = 5_000;
/** Answers that nobody fetched are removed after this long. */
const UNFETCHED_MS = 600_000;
/** A request that is new after a longer time without a look counts as old. */
const MAX_LOOK_GAP_MS = 5_000;

/** Serves a node's requests until the signal aborts; waits for handlers that are at work. Never rejects. */
export async function serveRequests(server: Server): Promise<void> {
  const { state } = server.store;
  const desk = new RequestDesk(server);
  const look = async (): Promise<readonly [readonly Entry[], readonly Entry[]]> => [
    await state.list(requestPrefix(server.node)),
    await state.list(answerPrefix(server.node)),
  ];
  const hints = [(stop: AbortSignal) => state.watch(requestPrefix(server.node), { signal: stop })];
  for await (const [requests, answers] of follow({ look, hints, everyMs: RESYNC_MS, signal: server.signal, bell: desk.bell })) {
    await desk.receive(requests);
    await desk.tidy(answers);
  }
  await desk.done();
}

class RequestDesk {
  readonly bell: Bell = createBell();
  readonly #server: Server;
  readonly #state: Store;
  readonly #seen = new Map<string, Seen>();
  readonly #unfetched = new Map<string, number>();
  readonly #working = new Set<Promise<void>>();
  #lastLookMs = Number.NEGATIVE_INFINITY;

  constructor(server: Server) {
    this.#server = server;
    this.#state = server.store.state;
  }

  /** Takes what there is room for; the rest is taken at a later look. */
  async receive(requests: readonly Entry[]): Promise<void> {
    const keys = new Set(requests.map(({ key }) => key));
    for (const [key, seen] of this.#seen) if (!keys.has(key) && seen.state !== "working") this.#seen.delete(key);
    const now = this.#now();
    const isOld = now - this.#lastLookMs > MAX_LOOK_GAP_MS;
    this.#lastLookMs = now;
    for (const entry of requests) {
      if (!this.#seen.has(entry.key)) this.#seen.set(entry.key, { sinceMs: now, isOld, state: "waiting" });
    }
    for (const entry of requests) await this.#consider(entry);
  }

  async #consider(entry: Entry): Promise<void> {
    const seen = this.#seen.get(entry.key);
    if (seen === undefined || seen.state === "working") return;
    try {
      if (seen.state === "over") await this.#forgetLater(entry.key, seen);
      else await this.#advance(entry.key, { seen, request: decodeRequest(entry) });
    } catch (error) {
      this.#server.log.warn("a request cannot be taken", { key: entry.key, problem: toFarmError(error).message });
      if (isDamage(error)) seen.state = "over";
    }
  }

  async #advance(key: string, { seen, request }: { readonly seen: Seen; readonly request: StoredRequest }): Promise<void> {
    const age = this.#now() - seen.sinceMs;
    const mustConfirm = seen.isOld && !request.confirmed;
    if (age >= request.timeoutMs || (mustConfirm && age >= CONFIRM_MS)) await this.#drop(key, seen);
    else if (mustConfirm) await this.#ask(key, seen);
    else if (this.#working.size < AT_ONCE) await this.#take(key, { seen, request });
  }

  /** Its sender should have removed it long ago. */
  async #forgetLater(key: string, seen: Seen): Promise<void> {
    if (this.#now() - seen.sinceMs >= UNFETCHED_MS) await removeKey(this.#state, key);
  }

  /** The sender has given up: its request is not carried out. */
  async #drop(key: string, seen: Seen): Promise<void> {
    this.#server.log.info("a stale request is dropped", { key });
    seen.state = "over";
    await removeKey(this.#state, key);
    await removeKey(this.#state, this.#answerKey(key));
  }

  async #ask(key: string, seen: Seen): Promise<void> {
    if (seen.state === "asking") return;
    const rev = await this.#claim(key, { state: "asking" }, undefined);
    seen.state = rev === undefined ? "over" : "asking";
    if (rev !== undefined) seen.answerRev = rev;
  }

  /** Exclusive creation of the answer decides who carries a request out: at most one process, once. */
  async #take(key: string, { seen, request }: { readonly seen: Seen; readonly request: StoredRequest }): Promise<void> {
    const rev = await this.#claim(key, { state: "taken" }, seen.answerRev);
    if (rev === undefined) {
      seen.state = "over";
      return;
    }
    seen.state = "working";
    const work = this.#carryOut(key, { request, rev, deadlineMs: seen.sinceMs + request.timeoutMs }).finally(() => {
      seen.state = "over";
      this.#working.delete(work);
      this.bell.ring();
    });
    this.#working.add(work);
  }

  async #carryOut(key: string, { request, rev, deadlineMs }: { request: StoredRequest; rev: Rev; deadlineMs: number }): Promise<void> {
    const answer = await answerOf(this.#server.handler, request);
    if (this.#now() >= deadlineMs) return;
    try {
      await this.#writeAnswer(key, answer, rev);
    } catch (error) {
      const { code, message } = toFarmError(error);
      this.#server.log.warn("an answer cannot be written", { key, verb: request.verb, code, problem: message });
    }
  }

  async #writeAnswer(key: string, answer: StoredAnswer, rev: Rev): Promise<void> {
    try {
      await this.#state.write(this.#answerKey(key), encodeAnswer(answer), rev);
    } catch (error) {
      if (!(error instanceof FarmError) || error.code !== "STORE_VALUE_TOO_LARGE") throw error;
      await this.#state.write(this.#answerKey(key), encodeAnswer({ state: "failed", error }), rev);
    }
  }

  /** undefined = another process of this node has it, or the sender is gone. */
  async #claim(key: string, answer: StoredAnswer, expect: Rev | undefined): Promise<Rev | undefined> {
    try {
      return await this.#state.write(this.#answerKey(key), encodeAnswer(answer), expect);
    } catch (error) {
      if (isConflict(error)) return undefined;
      throw error;
    }
  }

  /** Removes answers whose senders never came for them, by how long this process has seen them. */
  async tidy(answers: readonly Entry[]): Promise<void> {
    const keys = new Set(answers.map(({ key }) => key));
    for (const key of this.#unfetched.keys()) if (!keys.has(key)) this.#unfetched.delete(key);
    for (const key of keys) {
      const since = this.#unfetched.get(key) ?? this.#now();
      this.#unfetched.set(key, since);
      if (this.#now() - since < UNFETCHED_MS) continue;
      try {
        await removeKey(this.#state, key);
      } catch (error) {
        this.#server.log.debug("an answer stays behind", { key, problem: toFarmError(error).message });
      }
    }
  }

  async done(): Promise<void> {
    await Promise.all(this.#working);
  }

  #answerKey(requestKey: string): string {
    return `${answerPrefix(this.#server.node)}/${requestKey.slice(requestPrefix(this.#server.node).length + 1)}`;
  }

  #now(): number {
    return this.#server.clock.monotonicMs();
  }
}

async function answerOf(handler: RequestHandler, { verb, input }: StoredRequest): Promise<StoredAnswer> {
  try {
    return { state: "done", output: await handler(verb, input) };
  } catch (thrown) {
    return { state: "failed", error: toFarmError(thrown) };
  }
}
