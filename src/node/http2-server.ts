import { constants, createServer, type Http2ServerRequest, type Http2Session } from "node:http2";

import type { ConnectionFacts, HttpServerOptions, WebHandler } from "../web/index.ts";
import { FACTS } from "./connection-facts.ts";
import { FIRST_REQUEST_MS, FreshConnections } from "./fresh-connections.ts";
import type { HttpServer } from "./http-server.ts";

/** The highest stream id there is. */
const MAX_STREAM = 2 ** 31 - 1;

/** HTTP/2 for connections that are handed to it. */
export function openHttp2(handler: WebHandler, options: HttpServerOptions): HttpServer {
  const server = createServer(options.http2);
  const sessions = new Sessions();
  let introduced: ConnectionFacts | undefined;
  const begin = ({ stream }: Http2ServerRequest): ConnectionFacts | undefined => {
    const { session } = stream;
    if (session !== undefined) sessions.used(session);
    const known = session?.[FACTS];
    if (known === undefined) stream.close();
    return known;
  };
  server.on("session", (session) => {
    if (introduced !== undefined) session[FACTS] = introduced;
    introduced = undefined;
    sessions.add(session);
  });
  server.on("request", (request, response) => {
    const known = begin(request);
    if (known !== undefined) handler.request(request, response, known);
  });
  server.on("checkContinue", (request, response) => {
    const known = begin(request);
    if (known !== undefined) handler.checkContinue(request, response, known);
  });
  server.setTimeout(options.idleTimeoutMs);
  return {
    take(socket, known) {
      introduced = known; // the 'session' event comes within emit()
      server.emit("connection", socket);
    },
    announceEnd: () => sessions.announceEnd(),
    drain: () => sessions.drain(),
    close() {
      server.close();
      sessions.destroy();
    },
  };
}

/** The open sessions and how they end. */
class Sessions {
  readonly #open = new Set<Http2Session>();
  readonly #fresh = new FreshConnections();
  #isDraining = false;

  add(session: Http2Session): void {
    this.#open.add(session);
    this.#fresh.add(session);
    session.once("close", () => {
      this.#open.delete(session);
      this.#fresh.remove(session);
    });
    session.on("error", () => session.destroy());
    if (this.#isDraining) this.#end(session);
  }

  /** A request begins. */
  used(session: Http2Session): void {
    if (!this.#fresh.has(session)) return;
    this.#fresh.remove(session);
    if (this.#isDraining) session.close();
  }

  /** GOAWAY without a last stream: no new requests, please, and those that cross it are answered (RFC 9113, 6.8). */
  announceEnd(): void {
    for (const session of this.#open) session.goaway(constants.NGHTTP2_NO_ERROR, MAX_STREAM);
  }

  /** GOAWAY to all, and to those that come later, after their first request. */
  drain(): void {
    this.#isDraining = true;
    for (const session of this.#open) this.#end(session);
  }

  #end(session: Http2Session): void {
    if (this.#fresh.has(session)) setTimeout(() => session.close(), FIRST_REQUEST_MS).unref();
    else session.close();
  }

  destroy(): void {
    for (const session of this.#open) session.destroy();
  }
}
