import { Http2ServerResponse } from "node:http2";

import type { Clock } from "../base/index.ts";
import type { AccessLog } from "./access-entry.ts";
import type { HeaderScan } from "./header-scan.ts";
import type { RequestTarget } from "./request-target.ts";
import type { ConnectionFacts, WebRequest, WebResponse } from "./types.ts";

/** Header fields as name, value, name, value: the form that Node writes fastest. */
export type FlatHeaders = readonly string[];

/** What the exchanges of one handler share. */
export interface ExchangeContext {
  readonly clock: Clock;
  readonly log: () => AccessLog;
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

  /** A whole answer with a small body, logged at once. `headers` lack what `extra` adds. Without effect when it is too late. */
  reply(status: number, headers: FlatHeaders, body: Buffer | string | undefined): void {
    this.replyWhole(status, this.extra.length === 0 ? headers : headers.concat(this.extra), body);
  }

  /** Like reply; `headers` have everything already. */
  replyWhole(status: number, headers: FlatHeaders, body: Buffer | string | undefined): void {
    if (!this.answerable) {
      this.logNow(0, 0, true);
      return;
    }
    const sent = this.isHead ? undefined : body;
    writeHead(this.response, status, headers);
    if (sent === undefined) this.response.end();
    else this.response.end(sent);
    this.logNow(status, sent === undefined ? 0 : Buffer.byteLength(sent), false);
  }

  /** Logs once the answer is sent or the client has left; for answers that stream. */
  logOnClose(): void {
    const { response } = this;
    response.once("close", () => this.logNow(response.headersSent ? response.statusCode : 0, this.bytes, !response.writableFinished));
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

/** Starts an answer of either protocol. */
export function writeHead(response: WebResponse, status: number, headers: FlatHeaders): void {
  if (response instanceof Http2ServerResponse) {
    response.statusCode = status;
    for (let at = 0; at < headers.length; at += 2) setOrAppend(response, headers[at] ?? "", headers[at + 1] ?? "");
  } else {
    // Node takes a flat array of strings, and does not change it.
    response.writeHead(status, headers as string[]);
  }
}

function setOrAppend(response: Http2ServerResponse, name: string, value: string): void {
  if (response.hasHeader(name)) response.appendHeader(name, value);
  else response.setHeader(name, value);
}
