import http, { type ClientRequest, type IncomingMessage, type RequestOptions } from "node:http";
import https from "node:https";

import { systemCode, type Secret } from "../../../base/index.ts";
import type { EtcdMember } from "./url.ts";

/** What proves each side to the other. PEM texts. */
export interface EtcdTls {
  /** The authority that signed the members' certificates; the machine's own list unless told. */
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: Secret;
}

/** One request to one member. */
export interface Call {
  readonly path: string;
  readonly body: string;
  readonly token: string | undefined;
  readonly deadlineMs: number;
  /** Of the reply. */
  readonly maxBytes: number;
  readonly signal: AbortSignal;
}

/** What became of a request. */
export type Reply = { readonly kind: "answer"; readonly status: number; readonly text: string } | { readonly kind: "too-large" } | Failure;

/** No answer. */
export interface Failure {
  readonly kind: "failed";
  /** False = certain: the member never had the request. */
  readonly sent: boolean;
  /** TLS refused one side, which no repetition will mend. */
  readonly untrusted: boolean;
  readonly problem: string;
}

/** An answer whose body goes on, or why there is none. */
export type OpenReply = { readonly kind: "open"; readonly status: number; readonly body: IncomingMessage; close(): void } | Failure;

/** HTTP to the members of one cluster. */
export interface Transport {
  post(member: EtcdMember, call: Call): Promise<Reply>;
  /** `deadlineMs` counts until the first octet of the reply; `maxBytes` does not count. */
  open(member: EtcdMember, call: Call): Promise<OpenReply>;
  close(): void;
}

/** Connections to one member for calls, at most; each watch has one of its own besides. */
const MAX_SOCKETS = 16;

/** HTTP or HTTPS with kept connections. */
export function createTransport(secure: boolean, tls: EtcdTls = {}): Transport {
  const trust = secure ? { ca: tls.ca, cert: tls.cert, key: tls.key?.reveal(), minVersion: "TLSv1.2" as const } : {};
  const agent = secure
    ? new https.Agent({ keepAlive: true, maxSockets: MAX_SOCKETS, ...trust })
    : new http.Agent({ keepAlive: true, maxSockets: MAX_SOCKETS });
  const start = (member: EtcdMember, call: Call, isStream: boolean): ClientRequest => {
    const options: RequestOptions = {
      host: member.host,
      port: member.port,
      path: call.path,
      method: "POST",
      // A watch would hold one of the shared connections for ever.
      agent: isStream ? false : agent,
      signal: call.signal,
      headers: {
        "content-type": "application/json",
        "content-length": Buffer.byteLength(call.body),
        ...(call.token === undefined ? {} : { authorization: call.token }),
      },
    };
    return secure ? https.request({ ...options, ...trust }) : http.request(options);
  };
  return {
    post: (member, call) =>
      settle<Reply>(start(member, call, false), call, (response, tracked) => collect(response, call.maxBytes, tracked)),
    open: (member, call) =>
      settle<OpenReply>(start(member, call, true), call, async (response, { request }) => {
        // What breaks the body later is told to whoever iterates it.
        request.on("error", () => undefined);
        return { kind: "open", status: response.statusCode ?? 0, body: response, close: () => request.destroy() };
      }),
    close: () => agent.destroy(),
  };
}

interface Tracked {
  readonly request: ClientRequest;
  readonly fail: (error: unknown) => Failure;
}

function settle<T>(
  request: ClientRequest,
  call: Call,
  take: (response: IncomingMessage, tracked: Tracked) => Promise<T>,
): Promise<T | Failure> {
  return new Promise((resolve) => {
    let sent = false;
    let isLate = false;
    const fail = (error: unknown): Failure => failure(error, { sent, late: isLate ? call.deadlineMs : undefined });
    const end = (result: T | Failure): void => {
      clearTimeout(timer);
      resolve(result);
    };
    const timer = setTimeout(() => {
      isLate = true;
      request.destroy(new Error("late"));
    }, call.deadlineMs);
    request.on("socket", (socket) => {
      if (!socket.connecting) sent = true;
      else socket.once("encrypted" in socket ? "secureConnect" : "connect", () => (sent = true));
    });
    request.once("response", (response) => void take(response, { request, fail }).then(end, (error: unknown) => end(fail(error))));
    request.on("error", (error) => end(fail(error)));
    request.end(call.body);
  });
}

async function collect(response: IncomingMessage, maxBytes: number, { request, fail }: Tracked): Promise<Reply> {
  const parts: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const part of response as AsyncIterable<Uint8Array>) {
      size += part.byteLength;
      if (size > maxBytes) {
        request.destroy();
        return { kind: "too-large" };
      }
      parts.push(part);
    }
  } catch (error) {
    return fail(error);
  }
  return { kind: "answer", status: response.statusCode ?? 0, text: Buffer.concat(parts).toString("utf8") };
}

const UNTRUSTED = /^(ERR_TLS_|ERR_SSL_|EPROTO$|CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|HOSTNAME_MISMATCH)/;
/** The other side refuses our certificate, or our lack of one: TLS 1.3 tells it after the handshake, before any request is looked at. */
const REFUSED_BY_TLS = /^ERR_SSL_.*ALERT/;

function failure(error: unknown, about: { readonly sent: boolean; readonly late: number | undefined }): Failure {
  const code = systemCode(error) ?? "";
  const untrusted = UNTRUSTED.test(code);
  const text = error instanceof Error ? error.message.slice(0, 300) : "it failed";
  const problem = about.late === undefined ? text || code : `no answer within ${about.late} ms`;
  return { kind: "failed", sent: about.sent && !REFUSED_BY_TLS.test(code), untrusted, problem };
}
