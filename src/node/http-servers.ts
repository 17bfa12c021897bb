import { createServer, type IncomingMessage, type Server } from "node:http";
import { createServer as createHttp2Server, type Http2Server, type Http2Session } from "node:http2";
import type { Socket } from "node:net";

import type { Limits } from "../config/index.ts";
import { answerClientError, httpServerOptions, type ConnectionFacts, type HttpServerOptions, type WebHandler } from "../web/index.ts";

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
  const options = httpServerOptions(limits);
  const http1 = openHttp1(handler, options, facts);
  const { http2, sessions } = openHttp2(handler, options, facts);

  return {
    take(socket, known, protocol) {
      facts.set(socket, known);
      if (protocol === "http/1.1") {
        http1.emit("connection", socket);
        return;
      }
      sessions.introduce(known); // the 'session' event comes within emit()
      http2.emit("connection", socket);
    },
    drain() {
      http1.closeIdleConnections();
      sessions.each((session) => session.close());
    },
    close() {
      http1.close();
      http1.closeAllConnections();
      http2.close();
      sessions.each((session) => session.destroy());
    },
  };
}

type KnownFacts = WeakMap<object, ConnectionFacts>;

function openHttp1(handler: WebHandler, options: HttpServerOptions, facts: KnownFacts): Server {
  const server = createServer(options.http1);
  server.on("request", (request, response) => {
    const known = facts.get(request.socket);
    if (known === undefined) request.socket.destroy();
    else handler.request(request, response, known);
  });
  server.on("checkContinue", (request, response) => {
    const known = facts.get(request.socket);
    if (known === undefined) request.socket.destroy();
    else handler.checkContinue(request, response, known);
  });
  server.on("upgrade", (request: IncomingMessage, socket, head) => {
    const known = facts.get(request.socket);
    if (known === undefined) socket.destroy();
    else handler.upgrade(request, socket, head, known);
  });
  server.on("clientError", (error: NodeJS.ErrnoException & { rawPacket?: Buffer }, socket) =>
    answerClientError(error, socket, error.rawPacket),
  );
  server.setTimeout(options.idleTimeoutMs);
  // Node starts its header and request time-outs when a server begins to listen; this one never does.
  server.emit("listening");
  return server;
}

/** The open HTTP/2 sessions, with what is known of the connection of each. */
interface Sessions {
  /** For the session that begins next. */
  introduce(known: ConnectionFacts): void;
  each(act: (session: Http2Session) => void): void;
}

function openHttp2(
  handler: WebHandler,
  options: HttpServerOptions,
  facts: KnownFacts,
): { readonly http2: Http2Server; readonly sessions: Sessions } {
  const http2 = createHttp2Server(options.http2);
  const open = new Set<Http2Session>();
  let introduced: ConnectionFacts | undefined;
  http2.on("session", (session) => {
    if (introduced !== undefined) facts.set(session, introduced);
    introduced = undefined;
    open.add(session);
    session.once("close", () => open.delete(session));
    session.on("error", () => session.destroy());
  });
  http2.on("request", (request, response) => {
    const { session } = request.stream;
    const known = session === undefined ? undefined : facts.get(session);
    if (known === undefined) request.stream.close();
    else handler.request(request, response, known);
  });
  http2.on("checkContinue", (request, response) => {
    const { session } = request.stream;
    const known = session === undefined ? undefined : facts.get(session);
    if (known === undefined) request.stream.close();
    else handler.checkContinue(request, response, known);
  });
  http2.setTimeout(options.idleTimeoutMs);
  return {
    http2,
    sessions: {
      introduce(known) {
        introduced = known;
      },
      each(act) {
        for (const session of open) act(session);
      },
    },
  };
}
