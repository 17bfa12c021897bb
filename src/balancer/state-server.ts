import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";

import { FarmError, formatEndpoint, systemCode, type Endpoint } from "../base/index.ts";
import type { Adopt } from "./listeners.ts";

/** What the balancer's own health endpoint tells. */
export interface StateSource {
  /** Whether clients should be sent here: it listens, and at least one node takes connections. */
  ready(): boolean;
  state(): unknown;
}

/**
 * The balancer's own health endpoint: `/livez` (200 while the process runs), `/readyz` (200 or 503) and `/state` (JSON).
 * Other paths get 404, other methods 405.
 * @throws BALANCER_LISTEN_FAILED
 */
export async function openStateServer(endpoint: Endpoint, source: StateSource, adopt: Adopt = () => false): Promise<Server> {
  const server = createServer(
    { requestTimeout: 5000, headersTimeout: 5000, keepAliveTimeout: 10_000, maxHeaderSize: 8192 },
    (request, response) => answer(request, response, source),
  );
  server.maxConnections = 256;
  try {
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject).once("listening", resolve);
      if (!adopt(server, endpoint)) server.listen({ host: endpoint.address, port: endpoint.port });
    });
  } catch (error) {
    const problem = systemCode(error) ?? String(error);
    throw new FarmError(
      "BALANCER_LISTEN_FAILED",
      `the balancer's health endpoint cannot listen on ${formatEndpoint(endpoint)}: ${problem}`,
      {
        facts: { address: endpoint.address, port: endpoint.port },
        cause: error,
      },
    );
  }
  return server;
}

function answer(request: IncomingMessage, response: ServerResponse, source: StateSource): void {
  if (request.method !== "GET" && request.method !== "HEAD") return send(response, 405, { error: "only GET and HEAD" });
  switch (request.url?.split("?", 1)[0]) {
    case "/livez":
      return send(response, 200, { live: true });
    case "/readyz":
      return send(response, source.ready() ? 200 : 503, { ready: source.ready() });
    case "/state":
      return send(response, 200, source.state());
    default:
      return send(response, 404, { error: "there are /livez, /readyz and /state" });
  }
}

function send(response: ServerResponse, status: number, body: unknown): void {
  const text = `${JSON.stringify(body)}\n`;
  response.writeHead(status, {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(text),
    "cache-control": "no-store",
  });
  response.end(response.req.method === "HEAD" ? undefined : text);
}
