import { once } from "node:events";
import { createServer, STATUS_CODES, type RequestListener, type Server } from "node:http";
import { createServer as createTlsServer, type Server as TlsHttpServer } from "node:https";
import { createServer as createNetServer, type AddressInfo, type Server as NetServer, type Socket } from "node:net";
import type { Duplex } from "node:stream";

import { ERRORS, FarmError, formatEndpoint, systemCode, type Endpoint } from "../base/index.ts";
import { serverTls, type Identity } from "../identity/index.ts";

/** What a listener speaks TLS as; renewed while it listens. */
export interface ListenerTls {
  readonly identity: () => Identity;
  /** Returns how to stop that. */
  onChange(listener: () => void): () => void;
}

/** A port that answers HTTP. */
export interface Listener {
  readonly url: string;
  close(): Promise<void>;
}

const LIMITS = { requestTimeout: 30_000, headersTimeout: 10_000, keepAliveTimeout: 5_000, maxHeaderSize: 16 * 1024 };
const MAX_CONNECTIONS = 256;
const FIRST_OCTET_MS = 10_000;
/** The first octet of a TLS handshake record (RFC 8446 section 5.1). */
const HANDSHAKE = 0x16;

/** Listens for HTTP, or for HTTPS when there is something to prove itself with. @throws ADMIN_LISTEN_FAILED */
export async function listen(answer: RequestListener, { address, port }: Endpoint, tls: ListenerTls | undefined): Promise<Listener> {
  const http = tls === undefined ? createServer(LIMITS, answer) : createTlsServer({ ...LIMITS, ...serverTls(tls.identity()) }, answer);
  http.on("clientError", answerGarbage);
  const front = tls === undefined ? http : sniffing(http);
  front.maxConnections = MAX_CONNECTIONS;
  await startListening(front, { address, port });
  const stop = tls?.onChange(() => renew(http, tls));
  const bound = front.address() as AddressInfo; // it listens on TCP
  return {
    url: `${tls === undefined ? "http" : "https"}://${formatEndpoint({ address, port: bound.port })}`,
    async close() {
      stop?.();
      front.close();
      http.closeAllConnections();
      http.close();
      if (front.listening) await once(front, "close");
    },
  };
}

function renew(http: Server | TlsHttpServer, tls: ListenerTls): void {
  if ("setSecureContext" in http) http.setSecureContext(serverTls(tls.identity()));
}

/** Takes connections and hands those that begin as TLS does to the server; others are told that they should. */
function sniffing(http: Server): NetServer {
  const waiting = new Set<Socket>();
  const front = createNetServer((socket) => {
    waiting.add(socket);
    const timer = setTimeout(() => socket.destroy(), FIRST_OCTET_MS);
    timer.unref();
    socket.on("error", () => socket.destroy());
    socket.once("close", () => {
      clearTimeout(timer);
      waiting.delete(socket);
    });
    socket.once("data", (first) => {
      clearTimeout(timer);
      if (first[0] !== HANDSHAKE) return refuse(socket, new FarmError("ADMIN_HTTPS_ONLY", "this port speaks HTTPS only"));
      socket.pause();
      socket.unshift(first);
      http.emit("connection", socket);
    });
  });
  front.on("close", () => {
    for (const socket of waiting) socket.destroy();
  });
  return front;
}

/** What is no HTTP request, or has headers of more than 16 KiB. */
function answerGarbage(error: Error, socket: Duplex): void {
  const isLarge = systemCode(error) === "HPE_HEADER_OVERFLOW";
  const what = isLarge ? `the request's headers are larger than ${LIMITS.maxHeaderSize} bytes` : "what was sent is no HTTP request";
  refuse(socket, new FarmError("ADMIN_REQUEST_MALFORMED", what), isLarge ? 431 : undefined);
}

function refuse(socket: Duplex, error: FarmError, status: number = ERRORS[error.code].status): void {
  if (!socket.writable) return void socket.destroy();
  const body = JSON.stringify(error);
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}`,
    "content-type: application/json",
    `content-length: ${Buffer.byteLength(body)}`,
    "connection: close",
  ];
  socket.end(`${head.join("\r\n")}\r\n\r\n${body}`, () => socket.destroy());
}

async function startListening(server: NetServer, { address, port }: Endpoint): Promise<void> {
  try {
    server.listen({ host: address, port });
    await once(server, "listening");
  } catch (error) {
    const where = `${address.includes(":") ? `[${address}]` : address}:${port}`;
    const why =
      systemCode(error) === "EADDRINUSE" ? "another process uses it; is the farm running already?" : (systemCode(error) ?? String(error));
    throw new FarmError("ADMIN_LISTEN_FAILED", `the admin API cannot listen on ${where}: ${why}`, {
      facts: { address, port },
      cause: error,
    });
  }
}
