import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Socket } from "node:net";

import { answerClientError, type ConnectionFacts, type HttpServerOptions, type WebHandler } from "../web/index.ts";
import { FACTS } from "./connection-facts.ts";
import { FreshConnections } from "./fresh-connections.ts";
import type { HttpServer } from "./http-server.ts";

const DRAIN_LOOK_MS = 100;
/** Servers that new limits replaced are let go after this; a download that is still under way goes on. */
const DRAIN_ENDS_MS = 600_000;

/** HTTP/1.1 for connections that are handed to it. */
export function openHttp1(handler: WebHandler, options: HttpServerOptions): HttpServer {
  const server = createServer(options.http1);
  const fresh = new FreshConnections();
  let isEnding = false;
  /** What is known of the connection of a request that begins; without it there is nothing to answer. */
  const begin = (request: IncomingMessage, response?: ServerResponse): ConnectionFacts | undefined => {
    fresh.remove(request.socket);
    if (isEnding && response !== undefined) response.shouldKeepAlive = false;
    const known = request.socket[FACTS];
    if (known === undefined) request.socket.destroy();
    return known;
  };
  server.on("connection", (socket) => {
    fresh.add(socket);
    socket.once("close", () => fresh.remove(socket));
  });
  server.on("request", (request, response) => {
    const known = begin(request, response);
    if (known !== undefined) handler.request(request, response, known);
  });
  server.on("checkContinue", (request, response) => {
    const known = begin(request, response);
    if (known !== undefined) handler.checkContinue(request, response, known);
  });
  server.on("upgrade", (request, socket, head) => {
    const known = begin(request);
    if (known !== undefined) handler.upgrade(request, socket, head, known);
  });
  server.on("clientError", (error: NodeJS.ErrnoException & { rawPacket?: Buffer }, socket) =>
    answerClientError(error, socket, error.rawPacket),
  );
  server.setTimeout(options.idleTimeoutMs);
  // Node starts its header and request time-outs when a server begins to listen; this one never does.
  server.emit("listening");
  const drain = createDrain(server, fresh);
  return {
    take(socket: Socket, known) {
      socket[FACTS] = known;
      server.emit("connection", socket);
    },
    announceEnd() {
      isEnding = true;
    },
    drain() {
      isEnding = true;
      drain.begin();
    },
    close() {
      drain.end();
      server.closeAllConnections();
    },
  };
}

/** An answer that began before the drain could not say that it is the last: its connection is closed once it is idle. */
function createDrain(server: Server, fresh: FreshConnections): { begin(): void; end(): void } {
  let looking: NodeJS.Timeout | undefined;
  let ending: NodeJS.Timeout | undefined;
  const closeIdle = (): void => {
    if (!fresh.isExpecting()) server.closeIdleConnections(); // to Node a connection without any request is idle, too
  };
  const end = (): void => {
    clearInterval(looking);
    clearTimeout(ending);
    server.close(); // it never listened: this ends Node's own interval
  };
  return {
    begin() {
      closeIdle();
      if (looking !== undefined) return;
      looking = setInterval(closeIdle, DRAIN_LOOK_MS).unref();
      ending = setTimeout(end, DRAIN_ENDS_MS).unref();
    },
    end,
  };
}
