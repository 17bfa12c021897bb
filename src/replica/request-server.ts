import { randomBytes } from "node:crypto";

import { FarmError, toFarmError, type Clock, type Log } from "../base/index.ts";
import type { Signing, StatementRefusal } from "../identity/index.ts";
import type { Change, Entry, FarmStore, Rev, Store } from "../store/index.ts";
import { isConflict, isDamage } from "./error-kinds.ts";
import { createBell, follow, restMs, type Bell } from "./follow.ts";
import { removeKey } from "./remove-key.ts";
import { answerPrefix, requestPrefix, type StoredAnswer, type StoredRequest } from "./request-record.ts";
import type { RequestRefusals } from "./request-refusals.ts";
import { readRequest, writeAnswer } from "./request-signing.ts";

/** Answers one request; what it throws is carried to the sender. */
export type RequestHandler = (verb: string, input: unknown) => Promise<unknown>;

interface Server {
  readonly store: FarmStore;
  readonly clock: Clock;
  readonly log: Log;
  readonly node: string;
  readonly handler: RequestHandler;
  readonly signal: AbortSignal;
  /** Absent = a farm without identities. */
  readonly signing: Signing | undefined;
  readonly refusals: RequestRefusals | undefined;
}

/** What this process knows of a request it saw. */
interface Seen {
  readonly sinceMs: number;
  /** It came while this process did not look (before it started, or the store was away): nobody knows how old it is. */
  readonly isOld: boolean;
  state: "waiting" | "asking" | "working" | "over";
  /** Of the answer key while this process has it. */
  answerRev?: Rev;
  /** What its sender was asked to sign: of one request, of this process, once. */
  challenge?: string;
  /** What was read, and of which writing: a signature is not verified again at every look. */
  read?: { readonly rev: Rev; readonly request: StoredRequest };
}

const AT_ONCE = 8;
const RESYNC_MS = 1_000;
/** How long a sender of an old request has to say that it still waits. */
const CONFIRM_MS = 5_000;
/** Answers that nobody fetched are removed after this long. */
const UNFETCHED_MS = 600_000;
/** Refusals that wait for their senders; beyond, a refused request is removed without a word. */
const MAX_REFUSED = 100;
const CHALLENGE_BYTES = 24;
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
  const hints = [(stop: AbortSignal) => desk.heed(state.watch(requestPrefix(server.node), { signal: stop }))];
  // What waits has times to be watched; nothing waits most of the time.
  const everyMs = ([requests, answers]: Awaited<ReturnType<typeof look>>): number =>
    requests.length + answers.length > 0 ? RESYNC_MS : desk.restMs;
  for await (const [requests, answers] of follow({ look, hints, everyMs, signal: server.signal, bell: desk.bell })) {
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
  /** The watch was away since the last look. */
  #hasGap = false;
  /** Answers to refused requests that may still be there. */
  #refused = 0;

  constructor(server: Server) {
    this.#server = server;
    this.#state = server.store.state;
  }

  get restMs(): number {
    return restMs(this.#state, RESYNC_MS);
  }

  /** Hands the changes on and notes when some may have come late. */
  async *heed(changes: AsyncIterable<Change>): AsyncGenerator<Change> {
    for await (const change of changes) {
      if (change.type === "stale" || change.type === "live") this.#hasGap = true;
      yield change;
    }
  }

  /** Takes what there is room for; the rest is taken at a later look. */
  async receive(requests: readonly Entry[]): Promise<void> {
    const keys = new Set(requests.map(({ key }) => key));
    for (const [key, seen] of this.#seen) if (!keys.has(key) && seen.state !== "working") this.#seen.delete(key);
    const now = this.#now();
    const isOld = this.#hasGap || now - this.#lastLookMs > this.restMs + MAX_LOOK_GAP_MS;
    this.#hasGap = false;
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
      if (seen.state === "over") return await this.#forgetLater(entry.key, seen);
      const read = this.#read(entry, seen);
      if (read.kind === "refused") await this.#refuse(entry.key, seen, read);
      else await this.#advance(entry.key, { seen, request: read.request });
    } catch (error) {
      this.#server.log.warn("a request cannot be taken", { key: entry.key, problem: toFarmError(error).message });
      if (isDamage(error)) seen.state = "over";
    }
  }

  #read(entry: Entry, seen: Seen): ReturnType<typeof readRequest> {
    if (seen.read?.rev === entry.rev) return { kind: "request", request: seen.read.request };
    const read = readRequest(this.#server, this.#address(entry.key), entry, seen.challenge);
    if (read.kind === "request") seen.read = { rev: entry.rev, request: read.request };
    return read;
  }

  async #advance(key: string, { seen, request }: { readonly seen: Seen; readonly request: StoredRequest }): Promise<void> {
    const age = this.#now() - seen.sinceMs;
    const mustConfirm = (this.#server.signing !== undefined || seen.isOld) && !request.confirmed;
    if (age >= request.timeoutMs || (mustConfirm && age >= CONFIRM_MS)) await this.#drop(key, seen);
    else if (mustConfirm) await this.#ask(key, seen);
    else if (this.#working.size < AT_ONCE) await this.#take(key, { seen, request });
  }

  /** Told to its sender, counted, and never carried out. */
  async #refuse(key: string, seen: Seen, { reason, problem }: StatementRefusal): Promise<void> {
    seen.state = "over";
    // Its sender signed the challenge of the process before this one: nothing is amiss, it is only too late.
    if (reason === "replayed" && seen.isOld) return;
    this.#server.refusals?.note({ reason, problem });
    if (this.#refused >= MAX_REFUSED) return removeKey(this.#state, key);
    const { node } = this.#server;
    const error = new FarmError("REQUEST_REFUSED", `${node} refuses a request: ${problem}`, { facts: { node, reason } });
    const rev = await this.#claim(key, { state: "failed", error }, seen.answerRev);
    if (rev !== undefined) this.#refused += 1;
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
    const challenge = this.#server.signing === undefined ? undefined : randomBytes(CHALLENGE_BYTES).toString("base64url");
    const rev = await this.#claim(key, { state: "asking", ...(challenge === undefined ? {} : { challenge }) }, undefined);
    seen.state = rev === undefined ? "over" : "asking";
    if (rev !== undefined) seen.answerRev = rev;
    if (challenge !== undefined) seen.challenge = challenge;
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
      await this.#state.write(this.#answerKey(key), this.#encode(key, answer), rev);
    } catch (error) {
      if (!(error instanceof FarmError) || error.code !== "STORE_VALUE_TOO_LARGE") throw error;
      await this.#state.write(this.#answerKey(key), this.#encode(key, { state: "failed", error }), rev);
    }
  }

  /** undefined = another process of this node has it, or the sender is gone. */
  async #claim(key: string, answer: StoredAnswer, expect: Rev | undefined): Promise<Rev | undefined> {
    try {
      return await this.#state.write(this.#answerKey(key), this.#encode(key, answer), expect);
    } catch (error) {
      if (isConflict(error)) return undefined;
      throw error;
    }
  }

  /** Removes answers whose senders never came for them, by how long this process has seen them. */
  async tidy(answers: readonly Entry[]): Promise<void> {
    this.#refused = Math.min(this.#refused, answers.length);
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
    return `${answerPrefix(this.#server.node)}/${this.#address(requestKey).id}`;
  }

  #address(requestKey: string): { readonly node: string; readonly id: string } {
    const { node } = this.#server;
    return { node, id: requestKey.slice(requestPrefix(node).length + 1) };
  }

  #encode(requestKey: string, answer: StoredAnswer): Uint8Array {
    return writeAnswer(this.#server, this.#address(requestKey), answer);
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
