import { createServer, type IncomingMessage } from "node:http";
import { createServer as createHttp2Server, Http2ServerRequest, type Http2Session } from "node:http2";
import type { Socket } from "node:net";

import type { Limits } from "../config/index.ts";
import { answerClientError, httpServerOptions, type ConnectionFacts, type WebHandler, type WebRequest } from "../web/index.ts";

/** The HTTP servers of a node. They never listen: decrypted (or plain) connections are handed to them. */
export interface HttpServers {
  /** Takes a connection and what is known of it; TLS connections are decrypted already. */
  take(socket: Socket, facts: ConnectionFacts, protocol: "h2" | "http/1.1"): void;
  /** No new requests on open connections: idle ones are closed, the others after their answer. */
  drain(): void;
  close(): void;
}

/** HTTP/1.1 and HTTP/2 servers in front of one web handler. */
export function createHttpServers(handler: WebHandler, limits: Limits): HttpServers {
  const facts = new WeakMap<object, ConnectionFacts>();
  const sessions = new Set<Http2Session>();
  const options = httpServerOptions(limits);
  const http1 = createServer(options.http1);
  const http2 = createHttp2Server(options.http2);
  let introduced: ConnectionFacts | undefined;

  const factsOf = (request: WebRequest): ConnectionFacts | undefined =>
    request instanceof Http2ServerRequest
      ? request.stream.session === undefined
        ? undefined
        : facts.get(request.stream.session)
      : facts.get(request.socket);

  http1.on("request", (request, response) => {
    const known = factsOf(request);
    if (known === undefined) return void request.socket.destroy();
    handler.request(request, response, known);
  });
  http1.on("upgrade", (request: IncomingMessage, socket, head) => {
    const known = factsOf(request);
    if (known === undefined) return void socket.destroy();
    handler.upgrade(request, socket, head, known);
  });
  http1.on("clientError", (error: NodeJS.ErrnoException & { rawPacket?: Buffer }, socket) =>
    answerClientError(error, socket, error.rawPacket),
  );
  http1.setTimeout(options.idleTimeoutMs);
  http2.setTimeout(options.idleTimeoutMs);
  http2.on("session", (session) => {
    if (introduced !== undefined) facts.set(session, introduced);
    sessions.add(session);
    session.once("close", () => sessions.delete(session));
    session.on("error", () => session.destroy());
  });
  http2.on("request", (request, response) => {
    const known = factsOf(request);
    if (known === undefined) return void request.stream.close();
    handler.request(request, response, known);
  });
  // Node starts its header and request time-outs when a server begins to listen; these never do.
  http1.emit("listening");

  return {
    take(socket, known, protocol) {
      facts.set(socket, known);
      if (protocol === "http/1.1") return void http1.emit("connection", socket);
      introduced = known; // the 'session' event comes within emit()
      http2.emit("connection", socket);
      introduced = undefined;
    },
    drain() {
      http1.closeIdleConnections();
      for (const session of sessions) session.close();
    },
    close() {
      http1.close();
      http1.closeAllConnections();
      http2.close();
      for (const session of sessions) session.destroy();
    },
  };
}
