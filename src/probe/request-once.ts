import { request as startRequest, type ClientRequest, type IncomingMessage } from "node:http";
import type { TLSSocket } from "node:tls";

import { formatEndpoint, ipFamily, systemCode, toFarmError } from "../base/index.ts";
import type { Observation, ProbeOutcome, RequestObservation } from "../doctor/index.ts";
import { receivedAlert } from "./alert-names.ts";
import { cancelled, openTls, type ProbeOptions } from "./open-tls.ts";

/** One request over a TLS connection of its own. `timeoutMs` holds for the handshake, and again for the answer. */
export interface RequestOptions extends ProbeOptions {
  /** @default GET */
  readonly method?: "GET" | "HEAD";
  /** @default / */
  readonly path?: string;
  /** @default the host, with the port when it is not 443; without a host the address */
  readonly hostHeader?: string;
}

const MAX_HEAD_OCTETS = 64 * 1024;
const MAX_HEADERS = 50;
const MAX_VALUE = 500;

/**
 * One handshake (ALPN http/1.1 alone unless `alpn` says otherwise) and one HTTP/1.1 request on it: status and headers of the answer. No
 * redirect is followed, no body is read, nothing lives on when the promise settles. A request is not sent where there is no handshake:
 * `problem` says so.
 * @throws CANCELLED when the signal aborts; INTERNAL for settings that OpenSSL refuses, or a path or header that HTTP does not allow
 */
export async function requestOnce(
  options: RequestOptions,
): Promise<{ readonly observation: Observation; readonly request: RequestObservation }> {
  const { observation, socket } = await openTls({ alpn: ["http/1.1"], ...options });
  if (socket === undefined) {
    const { at, tookMs, outcome } = observation;
    return { observation, request: { at, tookMs, headers: {}, problem: handshakeEnd(outcome) } };
  }
  try {
    return { observation, request: await ask(socket, options) };
  } finally {
    socket.destroy();
  }
}

const handshakeEnd = (outcome: ProbeOutcome): string =>
  `no handshake: ${outcome.kind === "alert" ? `alert ${outcome.alert}` : outcome.kind === "error" ? outcome.code : outcome.kind}`;

/** RFC 9110 section 7.2: the port goes with the name unless it is the scheme's own. */
function hostHeaderOf({ host, target, hostHeader }: RequestOptions): string {
  if (hostHeader !== undefined) return hostHeader;
  if (host !== undefined) return target.port === 443 ? host : `${host}:${target.port}`;
  if (target.port !== 443) return formatEndpoint(target);
  return ipFamily(target.address) === 6 ? `[${target.address}]` : target.address;
}

function ask(socket: TLSSocket, options: RequestOptions): Promise<RequestObservation> {
  const { clock, signal, timeoutMs } = options;
  const at = clock.now();
  const started = clock.monotonicMs();
  const request = send(socket, options);
  return new Promise((resolve, reject) => {
    const end = (settle: () => void): void => {
      clearTimeout(deadline);
      signal?.removeEventListener("abort", abort);
      request.destroy();
      settle();
    };
    const done = ({ date, ...shown }: Answered): void => {
      const tookMs = clock.monotonicMs() - started;
      const clockOffsetMs = clockOffset(date, at + tookMs / 2);
      end(() => resolve({ at, tookMs, ...shown, ...(clockOffsetMs === undefined ? {} : { clockOffsetMs }) }));
    };
    const abort = (): void => end(() => reject(cancelled(options.target)));
    const late = (): void => done({ headers: {}, problem: `no answer to a request within ${timeoutMs} ms` });
    const deadline = setTimeout(late, timeoutMs);
    signal?.addEventListener("abort", abort, { once: true });
    request.on("response", (response) => done(answered(response)));
    request.on("upgrade", (response) => done(answered(response)));
    request.on("error", (error) => done({ headers: {}, problem: problemOf(error) }));
    if (signal?.aborted === true) abort();
  });
}

function send(socket: TLSSocket, options: RequestOptions): ClientRequest {
  const { method = "GET", path = "/" } = options;
  try {
    const request = startRequest({
      createConnection: () => socket,
      method,
      path,
      setHost: false,
      maxHeaderSize: MAX_HEAD_OCTETS,
      headers: { host: hostHeaderOf(options), "user-agent": "certfarm-doctor", accept: "*/*", connection: "close" },
    });
    request.end();
    return request;
  } catch (thrown) {
    throw toFarmError(thrown); // a path or header that HTTP does not allow
  }
}

interface Answered extends Pick<RequestObservation, "status" | "headers" | "problem"> {
  readonly date?: string | undefined;
}

function answered(response: IncomingMessage): Answered {
  const headers: Record<string, string> = {};
  const { rawHeaders, statusCode } = response;
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = (rawHeaders[at] ?? "").toLowerCase().slice(0, MAX_VALUE);
    const value = (rawHeaders[at + 1] ?? "").slice(0, MAX_VALUE);
    const before = Object.hasOwn(headers, name) ? headers[name] : undefined;
    if (before === undefined && Object.keys(headers).length >= MAX_HEADERS) break;
    // Lines of the same name are one list, RFC 9110 section 5.3.
    Object.defineProperty(headers, name, {
      value: before === undefined ? value : `${before}, ${value}`.slice(0, MAX_VALUE),
      enumerable: true,
      configurable: true,
      writable: true,
    });
  }
  return {
    ...(statusCode === undefined ? {} : { status: statusCode }),
    headers,
    date: Object.hasOwn(headers, "age") ? undefined : response.headers.date,
  };
}

/** Date counts whole seconds, so the middle of its second is the best guess. A cache sends the Date of when it got the answer. */
function clockOffset(date: string | undefined, middle: number): number | undefined {
  const second = date === undefined ? Number.NaN : Date.parse(date);
  return Number.isNaN(second) ? undefined : Math.round(second + 500 - middle);
}

function problemOf(error: Error): string {
  const alert = receivedAlert(error.message);
  if (alert !== undefined) return `alert ${alert}`;
  const code = systemCode(error) ?? "";
  if (code === "ECONNRESET") return "syscall" in error ? "reset before the answer" : "closed before the answer";
  if (code === "HPE_HEADER_OVERFLOW") return `the head of the answer is longer than ${MAX_HEAD_OCTETS} octets`;
  if (code.startsWith("HPE_")) return `the answer is not HTTP/1.1 (${code})`;
  return code === "" ? error.message.slice(0, MAX_VALUE) : code;
}
