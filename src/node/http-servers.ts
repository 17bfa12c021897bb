import type { Socket } from "node:net";

import type { Limits } from "../config/index.ts";
import { httpServerOptions, type ConnectionFacts, type WebHandler } from "../web/index.ts";
import type { HttpServer } from "./http-server.ts";
import { openHttp1 } from "./http1-server.ts";
import { openHttp2 } from "./http2-server.ts";

/** The HTTP servers of a node, in front of one web handler. */
export interface HttpServers extends Omit<HttpServer, "take"> {
  take(socket: Socket, facts: ConnectionFacts, protocol: "h2" | "http/1.1"): void;
}

/** HTTP/1.1 and HTTP/2 in front of one web handler. */
export function createHttpServers(handler: WebHandler, limits: Limits): HttpServers {
  const options = httpServerOptions(limits);
  const servers = { "http/1.1": openHttp1(handler, options), h2: openHttp2(handler, options) };
  const both = Object.values(servers);
  return {
    take: (socket, facts, protocol) => servers[protocol].take(socket, facts),
    announceEnd: () => both.forEach((server) => server.announceEnd()),
    drain: () => both.forEach((server) => server.drain()),
    close: () => both.forEach((server) => server.close()),
  };
}
