import { constants, Http2ServerResponse, type OutgoingHttpHeaders, type ServerHttp2Stream } from "node:http2";

import { toFarmError, type Clock, type Log } from "../base/index.ts";
import type { AccessLog } from "./access-entry.ts";
import type { HeaderScan } from "./header-scan.ts";
import type { RequestTarget } from "./request-target.ts";
import type { ConnectionFacts, WebRequest, WebResponse } from "./types.ts";

/** Header fields as name, value, name, value: the form that Node writes fastest. */
export type FlatHeaders = readonly string[];

/** All header fields of an answer, in the forms that HTTP/1 and HTTP/2 are written from fastest. */
export class AnswerHeaders {
  readonly flat: FlatHeaders;
  #object: OutgoingHttpHeaders | undefined;

  constructor(flat: FlatHeaders) {
    this.flat = flat;
  }

  /** By name; made once. Repeated names become lists. */
  get object(): OutgoingHttpHeaders {
    if (this.#object !== undefined) return this.#object;
    const object: Record<string, string | string[]> = {};
    for (let at = 0; at < this.flat.length; at += 2) {
      const name = (this.flat[at] ?? "").toLowerCase();
      const value = this.flat[at + 1] ?? "";
      // An HTTP/2 connection is not for one request to close (RFC 9113 section 8.2.2).
      if (name === "connection") continue;
      const present = object[name];
      object[name] = present === undefined ? value : [present, value].flat();
    }
    this.#object = object;
    return object;
  }
}

/** What the exchanges of one handler share. */
export interface ExchangeContext {
  readonly clock: Clock;
  readonly log: () => AccessLog;
  /** Told of faults of this server itself. */
  readonly diagnostics: Log;
}

/** One request and its answer. It is answered once, and logged once. */
export class Exchange {
  readonly request: WebRequest;
  readonly response: WebResponse;
  readonly connection: ConnectionFacts;
  readonly scan: HeaderScan;
  target: RequestTarget;
  site = "";
  /** Fields of every answer of this site on this protocol: HSTS, the node's name. */
  extra: FlatHeaders = [];
  /** Sends 100 Continue when the body is wanted; undefined when the client does not wait for it. */
  sendContinue: (() => void) | undefined;
  readonly #context: ExchangeContext;
  readonly #startedMs: number;
  #logged = false;
  bytes = 0;

  constructor(context: ExchangeContext, parts: Pick<Exchange, "request" | "response" | "connection" | "scan" | "target">) {
    this.#context = context;
    this.#startedMs = context.clock.monotonicMs();
    this.request = parts.request;
    this.response = parts.response;
    this.connection = parts.connection;
    this.scan = parts.scan;
    this.target = parts.target;
  }

  get isHead(): boolean {
    return this.request.method === "HEAD";
  }

  /** Whether anything can still be said to the client. */
  get answerable(): boolean {
    const { response } = this;
    return response instanceof Http2ServerResponse
      ? response.stream !== undefined && !response.stream.destroyed && !response.headersSent
      : !response.destroyed && !response.headersSent;
  }

  /** Whether everything was handed to the connection. */
  get finished(): boolean {
    const { response } = this;
    if (!(response instanceof Http2ServerResponse)) return response.writableFinished;
    // The compatibility layer has no such property, whatever its type says; and Node ends the stream of a client that cancelled.
    const { stream } = response;
    return stream.headersSent && stream.writableFinished && stream.rstCode === constants.NGHTTP2_NO_ERROR;
  }

  /** A whole answer with a small body, logged at once. `headers` lack what `extra` adds. Without effect when it is too late. */
  reply(status: number, headers: FlatHeaders, body: Buffer | string | undefined): void {
    this.replyWhole(status, new AnswerHeaders(headers.concat(this.extra)), body);
  }

  /** Like reply; `headers` have everything already. */
  replyWhole(status: number, headers: AnswerHeaders, body: Buffer | string | undefined): void {
    if (!this.answerable) {
      this.logNow(0, 0, true);
      return;
    }
    const sent = this.isHead ? undefined : body;
    const { response } = this;
    if (response instanceof Http2ServerResponse) replyOnStream(response.stream, { ":status": status, ...headers.object }, sent);
    else {
      // Node takes a flat array of strings, and does not change it.
      response.writeHead(status, headers.flat as string[]);
      response.end(sent);
    }
    this.logNow(status, sent === undefined ? 0 : Buffer.byteLength(sent), false);
  }

  /** Logs once the answer is sent or the client has left; for answers that stream. */
  logOnClose(): void {
    const { response } = this;
    // A write that meets a connection just gone is no fault of this server; `close` follows.
    response.on("error", () => undefined);
    response.once("close", () => this.logNow(response.headersSent ? response.statusCode : 0, this.bytes, !this.finished));
  }

  /** Tells the operator of a fault of this server; the client is told nothing of it. */
  reportFault(thrown: unknown): void {
    const { message, code, facts } = toFarmError(thrown);
    this.#context.diagnostics.error("A request could not be answered", {
      site: this.site,
      path: this.target.path,
      code,
      error: message,
      ...facts,
    });
  }

  logNow(status: number, bytes: number, aborted: boolean): void {
    if (this.#logged) return;
    this.#logged = true;
    const { request, connection, scan, target } = this;
    this.#context.log().record({
      protocol: connection.protocol,
      httpVersion: request.httpVersion,
      method: request.method ?? "",
      host: scan.host ?? "",
      path: target.path,
      query: target.query === "" ? "" : target.query.slice(1),
      port: connection.bindingPort,
      site: this.site,
      clientAddress: connection.clientAddress,
      clientSubject: connection.clientSubject ?? "",
      userAgent: scan.userAgent,
      referer: scan.referer,
      status,
      bytes,
      tookMs: this.#context.clock.monotonicMs() - this.#startedMs,
      aborted,
    });
  }
}

/** Past the compatibility layer, which costs about as much as all else here. */
function replyOnStream(stream: ServerHttp2Stream, headers: OutgoingHttpHeaders, body: Buffer | string | undefined): void {
  if (body === undefined || body.length === 0) {
    stream.respond(headers, { endStream: true });
    return;
  }
  stream.respond(headers);
  stream.end(body);
}

/** Starts an answer of either protocol whose body follows. */
export function beginAnswer(response: WebResponse, status: number, flat: FlatHeaders): void {
  if (response instanceof Http2ServerResponse) response.writeHead(status, new AnswerHeaders(flat).object);
  else response.writeHead(status, flat as string[]).flushHeaders();
}
