import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";

import type { SiteService } from "../config/index.ts";
import type { Exchange } from "./exchange.ts";
import { Forwarding, refuseBody, type ForwardingParts, type Upgrade } from "./forwarding.ts";
import { timesForwarded } from "./proxy-headers.ts";
import type { Authority } from "./request-target.ts";
import { answerStatus } from "./status-page.ts";
import type { WebSources } from "./types.ts";
import { UpstreamPool } from "./upstream-pool.ts";
import type { WebOptions } from "./web-options.ts";

type ProxyService = Extract<SiteService, { kind: "proxy" }>;

/** Hands requests on to upstreams. */
export interface Proxy {
  forward(exchange: Exchange, to: { readonly host: Authority; readonly service: ProxyService; readonly upgrade?: Upgrade }): void;
  close(): Promise<void>;
}

/** A request that came through this many certfarms goes in a circle. */
const MAX_HOPS = 8;
/** `.` and `..` in any encoding would leave the folder that the upstream's address names. */
const DOT_SEGMENT = /\/(?:\.|%2e){1,2}(?:\/|$)/i;

/** The proxy of one handler, with its pool of kept connections. */
export function createProxy(sources: WebSources, options: WebOptions): Proxy {
  const pool = new UpstreamPool(options.clock, options.upstreamCa);
  const tunnels = new Set<Duplex>();
  return {
    forward(exchange, { host, service, upgrade }) {
      const limits = sources.limits();
      const { path } = exchange.target;
      const length = Number(exchange.request.headers["content-length"] ?? 0);
      if (timesForwarded(exchange.request.rawHeaders) >= MAX_HOPS) {
        answerStatus(exchange, { status: 508, detail: "This request goes in a circle between servers." });
      } else if (length > limits.maxBodyBytes) refuseBody(exchange, limits.maxBodyBytes);
      else if (DOT_SEGMENT.test(path)) answerStatus(exchange, { status: 400, detail: "The address is not written correctly." });
      else {
        const trusted = options.trustsForwarded?.(exchange.connection.clientAddress) ?? false;
        const idleMs = Math.max(limits.idleTimeoutMs, service.timeoutMs);
        const parts: ForwardingParts = {
          exchange,
          host,
          service,
          upgrade,
          pool,
          tunnels,
          trusted,
          maxBodyBytes: limits.maxBodyBytes,
          idleMs,
        };
        new Forwarding(parts).start();
      }
    },
    close() {
      for (const socket of tunnels) socket.destroy();
      pool.close();
      return Promise.resolve();
    },
  };
}

/** The protocol that a client asks to upgrade to, when it is one that is handed on: WebSocket (RFC 6455). */
export function upgradeProtocol(request: IncomingMessage): string | undefined {
  return request.headers.upgrade?.toLowerCase() === "websocket" && request.method === "GET" ? "websocket" : undefined;
}
