import type { ClientRequest, IncomingMessage, ServerResponse } from "node:http";
import { constants, Http2ServerRequest, Http2ServerResponse } from "node:http2";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";

import { systemCode } from "../base/index.ts";
import type { SiteService } from "../config/index.ts";
import { beginAnswer, type Exchange } from "./exchange.ts";
import { clientHeaders, upstreamHeaders } from "./proxy-headers.ts";
import type { Authority } from "./request-target.ts";
import { answerStatus } from "./status-page.ts";
import { joinTunnel } from "./tunnel.ts";
import type { UpstreamPool } from "./upstream-pool.ts";

/** Where the bytes of an upgraded connection come from. */
export interface Upgrade {
  readonly socket: Duplex;
  readonly head: Buffer;
  readonly protocol: string;
}

/** What handing one request on takes. */
export interface ForwardingParts {
  readonly exchange: Exchange;
  readonly host: Authority;
  readonly service: Extract<SiteService, { kind: "proxy" }>;
  readonly upgrade: Upgrade | undefined;
  readonly pool: UpstreamPool;
  /** Sockets of live upgraded connections. */
  readonly tunnels: Set<Duplex>;
  readonly trusted: boolean;
  readonly maxBodyBytes: number;
  /** For an upgraded connection without traffic. */
  readonly idleMs: number;
}

const MAX_ATTEMPTS = 4;
const CONNECT_TIMEOUT_MS = 5_000;
const IDEMPOTENT = new Set(["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"]);

/** How far one attempt has come; decides whether another may follow. */
interface Attempt {
  readonly upstream: URL;
  readonly ask: ClientRequest;
  connected: boolean;
  timedOut: boolean;
  responded: boolean;
}

/**
 * One request on its way to an upstream and back. Another upstream is tried when no connection came about (nothing was
 * sent then), or when one broke before the answer began and the request is idempotent and has no body.
 */
export class Forwarding {
  readonly #parts: ForwardingParts;
  readonly #hasBody: boolean;
  readonly #tried = new Set<URL>();
  #attempts = 0;
  #current: Attempt | undefined;
  #received = 0;
  #over = false;

  constructor(parts: ForwardingParts) {
    this.#parts = parts;
    this.#hasBody = parts.upgrade === undefined && hasBody(parts.exchange);
  }

  start(): void {
    const { exchange, service } = this.#parts;
    exchange.logOnClose();
    holdOpen(exchange, service.timeoutMs + CONNECT_TIMEOUT_MS * MAX_ATTEMPTS);
    exchange.response.once("close", () => {
      if (!exchange.finished) this.#abandon();
    });
    this.#attempt();
  }

  /** The client has left, or was told no: nothing more is wanted of the upstream. */
  #abandon(): void {
    this.#over = true;
    this.#current?.ask.destroy();
  }

  #attempt(): void {
    const { exchange, service, pool, upgrade } = this.#parts;
    const upstream = pool.pick(service.upstreams, this.#tried);
    if (upstream === undefined || this.#attempts >= MAX_ATTEMPTS) {
      answerStatus(exchange, BAD_GATEWAY);
      return;
    }
    this.#attempts += 1;
    this.#tried.add(upstream);
    try {
      const headers = upstreamHeaders(exchange, {
        ...this.#parts,
        upstream,
        preserveHost: service.preserveHost,
        hasBody: this.#hasBody,
        upgrade: upgrade?.protocol,
      });
      const path = (upstream.pathname.replace(/\/$/, "") || "") + exchange.target.path + exchange.target.query;
      const method = exchange.request.method ?? "GET";
      const ask = pool.request(upstream, { method, path, headers, timeoutMs: service.timeoutMs, alone: upgrade !== undefined });
      this.#watch({ upstream, ask, connected: false, timedOut: false, responded: false });
    } catch {
      // Node refuses a character in a field or path that the client was able to send.
      answerStatus(exchange, { status: 400, detail: "The request has characters that cannot be handed on." });
    }
  }

  #watch(attempt: Attempt): void {
    this.#current = attempt;
    const { ask, upstream } = attempt;
    const { service, upgrade } = this.#parts;
    const expire = (): void => {
      attempt.timedOut = true;
      ask.destroy(new Error("timed out"));
    };
    const connecting = setTimeout(expire, Math.min(CONNECT_TIMEOUT_MS, service.timeoutMs));
    ask.on("timeout", expire);
    ask.on("socket", (socket) => {
      whenConnected(socket, upstream.protocol === "https:", () => {
        clearTimeout(connecting);
        attempt.connected = true;
        if (this.#hasBody && !this.#over) this.#sendBody(ask);
      });
    });
    ask.on("response", (answer) => {
      attempt.responded = true;
      this.#parts.pool.recovered(upstream);
      this.#relay(attempt, answer);
    });
    if (upgrade !== undefined) ask.on("upgrade", (answer, socket, head) => this.#join(attempt, answer, { socket, head }));
    ask.on("error", (error) => {
      clearTimeout(connecting);
      this.#failed(attempt, error);
    });
    ask.on("close", () => clearTimeout(connecting));
    if (!this.#hasBody) ask.end();
  }

  #sendBody(ask: ClientRequest): void {
    const { exchange, maxBodyBytes } = this.#parts;
    const { request } = exchange;
    exchange.sendContinue?.();
    request.on("data", (chunk: Buffer) => {
      this.#received += chunk.length;
      if (this.#received <= maxBodyBytes || this.#over) return;
      request.unpipe(ask);
      this.#abandon();
      if (exchange.answerable) refuseBody(exchange, maxBodyBytes);
      else breakOff(exchange);
    });
    request.once("error", () => this.#abandon());
    request.pipe(ask);
  }

  #relay(attempt: Attempt, answer: IncomingMessage): void {
    const { exchange } = this.#parts;
    const { response } = exchange;
    if (!exchange.answerable) {
      answer.destroy();
      return;
    }
    try {
      beginAnswer(response, answer.statusCode ?? 502, clientHeaders(answer.rawHeaders, exchange.extra, answer.httpVersion));
    } catch {
      attempt.ask.destroy();
      answerStatus(exchange, { status: 502, detail: "The server behind this site gave an answer that cannot be handed on." });
      return;
    }
    answer.on("data", (chunk: Buffer) => (exchange.bytes += chunk.length));
    answer.once("end", () => {
      sendTrailers(exchange, answer);
      // It answered before it had the whole request, and wants no more of it.
      if (!attempt.ask.writableFinished) {
        exchange.request.unpipe(attempt.ask);
        attempt.ask.destroy();
      }
    });
    answer.once("error", () => breakOff(exchange));
    answer.once("close", () => {
      if (!answer.complete) breakOff(exchange);
    });
    answer.pipe(response as ServerResponse);
  }

  #join(attempt: Attempt, answer: IncomingMessage, far: { readonly socket: Duplex; readonly head: Buffer }): void {
    const { exchange, upgrade, tunnels, idleMs } = this.#parts;
    if (upgrade === undefined || this.#over) {
      far.socket.destroy();
      return;
    }
    attempt.responded = true;
    const headers = clientHeaders(answer.rawHeaders, exchange.extra, answer.httpVersion);
    const head = ["Connection", "Upgrade", "Upgrade", upgrade.protocol, ...headers];
    (exchange.response as ServerResponse).detachSocket(upgrade.socket as Socket); // upgrades are HTTP/1 only
    joinTunnel({ near: upgrade, far, head, idleMs, tunnels }, (bytes) => exchange.logNow(101, bytes, false));
  }

  #failed(attempt: Attempt, error: Error): void {
    const { exchange, pool } = this.#parts;
    const settled = this.#over || attempt.responded || attempt !== this.#current;
    if (settled || !exchange.answerable) return;
    // A kept connection that the upstream had just dropped says nothing against the upstream.
    const stale = attempt.ask.reusedSocket && attempt.connected && !attempt.timedOut;
    if (stale) this.#tried.delete(attempt.upstream);
    else pool.setAside(attempt.upstream);
    if (this.#mayRepeat(attempt)) this.#attempt();
    else answerStatus(exchange, attempt.timedOut || systemCode(error) === "ETIMEDOUT" ? GATEWAY_TIMEOUT : BAD_GATEWAY);
  }

  #mayRepeat(attempt: Attempt): boolean {
    if (!attempt.connected) return true;
    return !attempt.timedOut && !this.#hasBody && IDEMPOTENT.has(this.#parts.exchange.request.method ?? "");
  }
}

/** 413; the rest of the body is not read, so the connection ends with the answer. */
export function refuseBody(exchange: Exchange, maxBytes: number): void {
  const close = exchange.request.httpVersionMajor === 1 ? ["Connection", "close"] : [];
  answerStatus(exchange, { status: 413, detail: `The body is larger than the ${maxBytes} bytes that are allowed here.`, headers: close });
}

/** The server's own limit on silence must not end a connection that waits for a slow upstream. HTTP/1 goes back to it after the answer. */
function holdOpen({ request }: Exchange, ms: number): void {
  if (request instanceof Http2ServerRequest) request.stream.session?.setTimeout(ms);
  else request.socket.setTimeout(ms);
}

const BAD_GATEWAY = { status: 502, detail: "The server behind this site cannot be reached or gave no valid answer." };
const GATEWAY_TIMEOUT = { status: 504, detail: "The server behind this site did not answer in time." };

function hasBody({ request }: Exchange): boolean {
  if (request instanceof Http2ServerRequest) return !request.stream.endAfterHeaders;
  return request.headers["transfer-encoding"] !== undefined || Number(request.headers["content-length"] ?? 0) > 0;
}

function whenConnected(socket: Socket, secure: boolean, then: () => void): void {
  const pending = secure ? "secureConnecting" in socket && socket.secureConnecting === true : socket.connecting;
  if (pending) socket.once(secure ? "secureConnect" : "connect", then);
  else then();
}

/** The answer cannot be completed: the client must see that it is cut short. */
function breakOff({ response }: Exchange): void {
  if (response instanceof Http2ServerResponse) response.stream?.close(constants.NGHTTP2_INTERNAL_ERROR);
  else response.destroy();
}

function sendTrailers({ response }: Exchange, answer: IncomingMessage): void {
  const names = Object.keys(answer.trailers);
  if (names.length === 0) return;
  const trailers = Object.fromEntries(names.map((name) => [name, answer.trailers[name] ?? ""]));
  if (response instanceof Http2ServerResponse) response.addTrailers(trailers);
  else response.addTrailers(trailers);
}
