import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";

import { FarmError, formatEndpoint, systemCode, toFarmError, type Clock, type Endpoint, type Log } from "../base/index.ts";
import { createHostGroups, parseHostGroup, type HostGroups } from "./host-groups.ts";
import type { Adopt } from "./listeners.ts";
import type { Readiness } from "./readiness.ts";
import type { SelfProof } from "./self-proof.ts";

/** The health port: plain HTTP, so that any balancer can ask. */
export interface HealthServer {
  /** Listens there, and nowhere else any longer. @throws NODE_LISTEN */
  apply(endpoint: Endpoint): Promise<void>;
  /** It listens where it was told to. */
  readonly healthy: boolean;
  close(): Promise<void>;
}

/** What the health port speaks for. */
export interface HealthParts {
  readonly node: string;
  readonly log: Log;
  readonly clock: Clock;
  readonly readiness: () => Readiness;
  readonly proof: SelfProof;
  readonly adopt?: Adopt;
}

const DEFAULT_PORT = 443;
const ORIGIN = "http://health";

/**
 * `/livez`: the process runs. `/readyz`: this node serves what it proved. `/readyz?host=NAME[&port=443]`: it proved this name (proved on
 * the spot when nobody asked before). `/readyz?group=K/N[&port=443]`: it proved every bound name whose CRC-32 leaves K when divided by N.
 * `/proofs?since=G`: verdicts that changed. 200 or 503, with the reasons as JSON.
 */
export function createHealthServer(parts: HealthParts): HealthServer {
  const groups = createHostGroups(parts.clock, (port) => parts.proof.unproved(port));
  let server: Server | undefined;
  let listening: string | undefined;
  let wanted: string | undefined;
  let closed = false;

  const close = (): Promise<void> =>
    new Promise((resolve) => {
      listening = undefined;
      if (server === undefined) return resolve();
      server.close(() => resolve());
      server.closeAllConnections();
      server = undefined;
    });

  return {
    async apply(endpoint) {
      wanted = formatEndpoint(endpoint);
      if (closed || wanted === listening) return;
      await close();
      server = await listen({ ...parts, groups }, endpoint);
      listening = wanted;
      if (closed) await close(); // the node ended meanwhile
    },
    get healthy() {
      return wanted === listening;
    },
    close() {
      closed = true;
      return close();
    },
  };
}

/** Bounds of a port that anybody in the network may reach: balancers ask little, in small requests, at once. */
const LIMITS = {
  maxHeaderSize: 4_096,
  headersTimeout: 5_000,
  requestTimeout: 5_000,
  keepAliveTimeout: 60_000,
  connectionsCheckingInterval: 1_000,
};
const MAX_CONNECTIONS = 500;

type Answering = HealthParts & { readonly groups: HostGroups };

function listen(parts: Answering, endpoint: Endpoint): Promise<Server> {
  const server = createServer(LIMITS, (request, response) => {
    answer(parts, request, response).catch((error: unknown) =>
      send(response, 503, { node: parts.node, problem: toFarmError(error).message }),
    );
  });
  server.maxConnections = MAX_CONNECTIONS;
  const where = formatEndpoint(endpoint);
  return new Promise((resolve, reject) => {
    const refused = (error: Error): void => {
      const problem = `${parts.node} cannot answer health checks on ${where}: ${systemCode(error) ?? error.message}`;
      reject(new FarmError("NODE_LISTEN", problem, { cause: error }));
    };
    server.once("error", refused);
    server.once("listening", () => {
      server.off("error", refused);
      server.on("error", (error) => parts.log.error("health checks cannot be taken", { where, problem: error.message }));
      resolve(server);
    });
    if (parts.adopt?.(server, endpoint) === true) return;
    server.listen({ host: endpoint.address, port: endpoint.port });
  });
}

async function answer(parts: Answering, request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (!URL.canParse(request.url ?? "", ORIGIN)) return send(response, 400, { problem: "The address is not written correctly." });
  const url = new URL(request.url ?? "", ORIGIN);
  switch (url.pathname) {
    case "/livez":
      return send(response, 200, { node: parts.node, live: true });
    case "/readyz":
      if (url.searchParams.has("group")) return answerGroup(parts, url, response);
      return url.searchParams.has("host") ? answerHost(parts, url, response) : answerNode(parts, response);
    case "/proofs":
      return send(response, 200, parts.proof.log.since(Number(url.searchParams.get("since") ?? "0") || 0));
    default:
      return send(response, 404, { problem: "There are /livez, /readyz, /readyz?host=NAME, /readyz?group=K/N and /proofs?since=N." });
  }
}

function answerNode(parts: HealthParts, response: ServerResponse): void {
  const readiness = parts.readiness();
  const { proved, failed, pending } = parts.proof.summary(0);
  send(response, readiness.ready ? 200 : 503, { node: parts.node, ...readiness, proved, failed, pending });
}

function answerGroup(parts: Answering, url: URL, response: ServerResponse): void {
  const group = parseHostGroup(url.searchParams.get("group") ?? "");
  if (group === undefined) return send(response, 400, { node: parts.node, problem: "group is not K/N with K < N <= 1024" });
  const readiness = parts.readiness();
  const unproved = parts.groups.unproved(group, portOf(url));
  send(response, readiness.ready && unproved.length === 0 ? 200 : 503, { node: parts.node, ...readiness, unproved });
}

const portOf = (url: URL): number => Number(url.searchParams.get("port") ?? DEFAULT_PORT) || DEFAULT_PORT;

async function answerHost(parts: HealthParts, url: URL, response: ServerResponse): Promise<void> {
  const { draining } = parts.readiness();
  const proof = await parts.proof.verdict(url.searchParams.get("host") ?? "", portOf(url));
  if (proof?.verdict === "pending") return send(response, 429, { node: parts.node, problem: "too many names are being proved", proof });
  if (proof === undefined) return send(response, 400, { node: parts.node, problem: "host is not a host name" });
  const ready = proof.verdict === "proved" && !draining;
  send(response, ready ? 200 : 503, { node: parts.node, ready, draining, proof });
}

function send(response: ServerResponse, status: number, body: object): void {
  if (response.headersSent) return;
  const text = `${JSON.stringify(body)}\n`;
  response.writeHead(status, {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(text),
    "cache-control": "no-store",
  });
  response.end(text);
}
