import { createServer, type IncomingMessage, type Server } from "node:http";
import { constants, createServer as createHttp2Server, type Http2Server, type Http2Session } from "node:http2";
import type { Socket } from "node:net";

import type { Limits } from "../config/index.ts";
import { answerClientError, httpServerOptions, type ConnectionFacts, type HttpServerOptions, type WebHandler } from "../web/index.ts";

/** What is known of a connection, on the connection itself: a WeakMap of all of them costs the garbage collector more than the requests. */
const FACTS = Symbol("facts");

declare module "node:net" {
  interface Socket {
    [FACTS]?: ConnectionFacts;
  }
}
declare module "node:http2" {
  interface Http2Session {
    [FACTS]?: ConnectionFacts;
  }
}

/** The HTTP servers of a node. They never listen: decrypted (or plain) connections are handed to them. */
export interface HttpServers {
  /** Takes a connection and what is known of it; TLS connections are decrypted already. */
  take(socket: Socket, facts: ConnectionFacts, protocol: "h2" | "http/1.1"): void;
  /** The node ends soon: answers say that they are the last on their connection, so that clients come back elsewhere in time. Nothing is closed. */
  announceEnd(): void;
  /** No new requests on open connections: idle ones are closed, the others after their answer. What is taken later ends after one answer. */
  drain(): void;
  close(): void;
}

/** HTTP/1.1 and HTTP/2 servers in front of one web handler. */
export function createHttpServers(handler: WebHandler, limits: Limits): HttpServers {
  const options = httpServerOptions(limits);
  const { server: http1, announceHttp1, drainHttp1, closeHttp1 } = openHttp1(handler, options);
  const { http2, sessions } = openHttp2(handler, options);

  return {
    take(socket, known, protocol) {
      socket[FACTS] = known;
      if (protocol === "http/1.1") {
        http1.emit("connection", socket);
        return;
      }
      sessions.introduce(known); // the 'session' event comes within emit()
      http2.emit("connection", socket);
    },
    announceEnd() {
      announceHttp1();
      sessions.announceEnd();
    },
    drain() {
      drainHttp1();
      sessions.drain();
    },
    close() {
      closeHttp1();
      http2.close();
      sessions.destroy();
    },
  };
}

/** The highest stream id there is. */
const MAX_STREAM = 2 ** 31 - 1;
const DRAIN_LOOK_MS = 100;
/** Servers that new limits replaced are let go after this; a download that is still under way goes on. */
const DRAIN_ENDS_MS = 600_000;

function openHttp1(
  handler: WebHandler,
  options: HttpServerOptions,
): { readonly server: Server; readonly announceHttp1: () => void; readonly drainHttp1: () => void; readonly closeHttp1: () => void } {
  const server = createServer(options.http1);
  let draining: NodeJS.Timeout | undefined;
  let end: NodeJS.Timeout | undefined;
  let isEnding = false;
  server.on("request", (request, response) => {
    if (isEnding) response.shouldKeepAlive = false;
    const known = request.socket[FACTS];
    if (known === undefined) request.socket.destroy();
    else handler.request(request, response, known);
  });
  server.on("checkContinue", (request, response) => {
    if (isEnding) response.shouldKeepAlive = false;
    const known = request.socket[FACTS];
    if (known === undefined) request.socket.destroy();
    else handler.checkContinue(request, response, known);
  });
  server.on("upgrade", (request: IncomingMessage, socket, head) => {
    const known = request.socket[FACTS];
    if (known === undefined) socket.destroy();
    else handler.upgrade(request, socket, head, known);
  });
  server.on("clientError", (error: NodeJS.ErrnoException & { rawPacket?: Buffer }, socket) =>
    answerClientError(error, socket, error.rawPacket),
  );
  server.setTimeout(options.idleTimeoutMs);
  // Node starts its header and request time-outs when a server begins to listen; this one never does.
  server.emit("listening");
  const endTimers = (): void => {
    clearInterval(draining);
    clearTimeout(end);
    server.close(); // it never listened: this ends Node's own interval
  };
  // An answer that began before the drain could not say that it is the last: its connection is closed once it is idle.
  const drainHttp1 = (): void => {
    isEnding = true;
    server.closeIdleConnections();
    if (draining !== undefined) return;
    draining = setInterval(() => server.closeIdleConnections(), DRAIN_LOOK_MS).unref();
    end = setTimeout(endTimers, DRAIN_ENDS_MS).unref();
  };
  const closeHttp1 = (): void => {
    endTimers();
    server.closeAllConnections();
  };
  const announceHttp1 = (): void => {
    isEnding = true;
  };
  return { server, announceHttp1, drainHttp1, closeHttp1 };
}

/** The open HTTP/2 sessions, with what is known of the connection of each. */
interface Sessions {
  /** For the session that begins next. */
  introduce(known: ConnectionFacts): void;
  /** GOAWAY without a last stream to all: no new requests, please, and those that cross it are answered (RFC 9113, 6.8). */
  announceEnd(): void;
  /** GOAWAY to all, and to those that come later. */
  drain(): void;
  destroy(): void;
}

function openHttp2(handler: WebHandler, options: HttpServerOptions): { readonly http2: Http2Server; readonly sessions: Sessions } {
  const http2 = createHttp2Server(options.http2);
  const open = new Set<Http2Session>();
  let introduced: ConnectionFacts | undefined;
  let draining = false;
  http2.on("session", (session) => {
    if (introduced !== undefined) session[FACTS] = introduced;
    introduced = undefined;
    open.add(session);
    session.once("close", () => open.delete(session));
    session.on("error", () => session.destroy());
    if (draining) session.close();
  });
  http2.on("request", (request, response) => {
    const { session } = request.stream;
    const known = session?.[FACTS];
    if (known === undefined) request.stream.close();
    else handler.request(request, response, known);
  });
  http2.on("checkContinue", (request, response) => {
    const { session } = request.stream;
    const known = session?.[FACTS];
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
      announceEnd() {
        for (const session of open) session.goaway(constants.NGHTTP2_NO_ERROR, MAX_STREAM);
      },
      drain() {
        draining = true;
        for (const session of open) session.close();
      },
      destroy() {
        for (const session of open) session.destroy();
      },
    },
  };
}
