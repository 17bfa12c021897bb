import { Agent as HttpAgent, request as httpRequest, type ClientRequest } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";

import type { Clock } from "../base/index.ts";

/** How long an upstream that failed is passed over while others are there. */
const ASIDE_MS = 5_000;
/** Remembered failures and turns; the configuration names far fewer upstreams. */
const REMEMBERED = 4_096;
/**
 * Idle connections are dropped after 4 s: most servers drop theirs at 5 s or later, and a request that meets a
 * connection just dropped cannot always be sent again.
 */
const POOL = { keepAlive: true, maxSockets: 512, maxFreeSockets: 64, timeout: 4_000, scheduling: "lifo" } as const;

/** What is asked of an upstream. */
export interface UpstreamRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: readonly string[];
  readonly timeoutMs: number;
  /** A connection of its own, for a protocol that will take it over. */
  readonly alone: boolean;
}

/** Kept connections to upstreams, turns, and who failed lately. */
export class UpstreamPool {
  readonly #clock: Clock;
  readonly #ca: readonly string[] | undefined;
  readonly #http = new HttpAgent(POOL);
  readonly #https: HttpsAgent;
  readonly #asideUntil = new Map<string, number>();
  readonly #turns = new WeakMap<readonly URL[], number>();

  constructor(clock: Clock, ca: readonly string[] | undefined) {
    this.#clock = clock;
    this.#ca = ca;
    this.#https = new HttpsAgent({ ...POOL, ...(ca === undefined ? {} : { ca: [...ca] }) });
  }

  /** The next one in turn that was not tried and did not fail lately; else one that did; undefined = all were tried. */
  pick(upstreams: readonly URL[], tried: ReadonlySet<URL>): URL | undefined {
    const turn = this.#turns.get(upstreams) ?? 0;
    this.#turns.set(upstreams, (turn + 1) % Math.max(1, upstreams.length));
    const inTurn = [...upstreams.slice(turn), ...upstreams.slice(0, turn)].filter((upstream) => !tried.has(upstream));
    const now = this.#clock.monotonicMs();
    return inTurn.find((upstream) => (this.#asideUntil.get(upstream.href) ?? 0) <= now) ?? inTurn[0];
  }

  setAside(upstream: URL): void {
    if (this.#asideUntil.size >= REMEMBERED) this.#asideUntil.clear();
    this.#asideUntil.set(upstream.href, this.#clock.monotonicMs() + ASIDE_MS);
  }

  recovered(upstream: URL): void {
    this.#asideUntil.delete(upstream.href);
  }

  /** Begins a request; its header is sent once it is flushed or its body begins. @throws TypeError for a path or field Node refuses */
  request(upstream: URL, ask: UpstreamRequest): ClientRequest {
    const secure = upstream.protocol === "https:";
    const options = {
      host: upstream.hostname.replace(/^\[(.*)\]$/, "$1"),
      port: upstream.port === "" ? (secure ? 443 : 80) : Number(upstream.port),
      method: ask.method,
      path: ask.path,
      headers: ask.headers,
      timeout: ask.timeoutMs,
    };
    if (!secure) return httpRequest({ ...options, agent: ask.alone ? false : this.#http });
    const ca = this.#ca === undefined ? {} : { ca: [...this.#ca] };
    return httpsRequest({ ...options, ...ca, agent: ask.alone ? false : this.#https });
  }

  close(): void {
    this.#http.destroy();
    this.#https.destroy();
  }
}
