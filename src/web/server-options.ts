import type { ServerOptions } from "node:http";
import type { ServerOptions as Http2ServerOptions } from "node:http2";

import type { Limits } from "../config/index.ts";

/** Options for Node's servers that carry out the limits on headers and times. */
export interface HttpServerOptions {
  /** For `http.createServer`, `https.createServer`, and for the HTTP/1 side of `http2.createSecureServer`. */
  readonly http1: ServerOptions;
  /** For `http2.createSecureServer`, beside those of `http1`; idle sessions: `server.setTimeout(idleTimeoutMs)`. */
  readonly http2: Http2ServerOptions;
  /** For `server.setTimeout` of either: a connection without traffic is ended after it. Proxied requests extend it while they wait. */
  readonly idleTimeoutMs: number;
}

/** Streams one HTTP/2 client may have open: what most servers give. */
const MAX_STREAMS = 128;

/** The options for these limits. */
export function httpServerOptions(limits: Limits): HttpServerOptions {
  const { maxHeaderBytes, headersTimeoutMs, requestTimeoutMs, idleTimeoutMs } = limits;
  return {
    http1: {
      maxHeaderSize: maxHeaderBytes,
      headersTimeout: Math.min(headersTimeoutMs, requestTimeoutMs),
      requestTimeout: requestTimeoutMs,
      keepAliveTimeout: idleTimeoutMs,
      // Deadlines are looked at this often; a quarter of the shortest, so that they hold within 25 %.
      connectionsCheckingInterval: Math.max(250, Math.min(30_000, Math.floor(Math.min(headersTimeoutMs, requestTimeoutMs) / 4))),
      // A missing Host is answered with this room's own page.
      requireHostHeader: false,
      noDelay: true,
      insecureHTTPParser: false,
    },
    http2: {
      settings: { maxConcurrentStreams: MAX_STREAMS, maxHeaderListSize: maxHeaderBytes, enablePush: false },
      maxSessionInvalidFrames: 100,
      unknownProtocolTimeout: Math.min(10_000, headersTimeoutMs),
    },
    idleTimeoutMs,
  };
}
