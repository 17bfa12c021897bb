import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";

import { FarmError, formatEndpoint, systemCode, type Endpoint } from "../base/index.ts";
import type { Readiness } from "./readiness.ts";
import type { SelfProof } from "./self-proof.ts";

/** The health port: plain HTTP, so that any balancer can ask. */
export interface HealthServer {
  /** Listens there, and nowhere else any longer. @throws NODE_LISTEN */
  apply(endpoint: Endpoint): Promise<void>;
  close(): Promise<void>;
}

const DEFAULT_PORT = 443;

/**
 * `/livez`: the process runs. `/readyz`: this node serves what it proved. `/readyz?host=NAME[&port=443]`: it proved this name (proved on
 * the spot when nobody asked before). `/proofs?since=G`: verdicts that changed. 200 or 503, with the reasons as JSON.
 */
export function createHealthServer(parts: {
  readonly node: string;
  readonly readiness: () => Readiness;
  readonly proof: SelfProof;
}): HealthServer {
  let server: Server | undefined;
  let listening: string | undefined;

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(request.url ?? "/", "http://health");
    switch (url.pathname) {
      case "/livez":
        return send(response, 200, { node: parts.node, live: true });
      case "/readyz":
        return url.searchParams.has("host") ? answerHost(url, response) : answerNode(response);
      case "/proofs":
        return send(response, 200, parts.proof.log.since(Number(url.searchParams.get("since") ?? "0") || 0));
      default:
        return send(response, 404, { problem: "There are /livez, /readyz, /readyz?host=NAME and /proofs?since=N." });
    }
  };

  const answerNode = (response: ServerResponse): void => {
    const readiness = parts.readiness();
    const { proved, failed, pending } = parts.proof.summary(0);
    send(response, readiness.ready ? 200 : 503, { node: parts.node, ...readiness, proved, failed, pending });
  };

  const answerHost = async (url: URL, response: ServerResponse): Promise<void> => {
    const readiness = parts.readiness();
    const port = Number(url.searchParams.get("port") ?? DEFAULT_PORT) || DEFAULT_PORT;
    const proof = await parts.proof.verdict(url.searchParams.get("host") ?? "", port);
    if (proof === undefined) return send(response, 400, { node: parts.node, problem: "host is not a host name" });
    const ready = proof.verdict === "proved" && !readiness.draining;
    send(response, ready ? 200 : 503, { node: parts.node, ready, draining: readiness.draining, proof });
  };

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
      const text = formatEndpoint(endpoint);
      if (text === listening) return;
      await close();
      const opened = createServer((request, response) => {
        answer(request, response).catch((error: unknown) => send(response, 500, { node: parts.node, problem: String(error) }));
      });
      await new Promise<void>((resolve, reject) => {
        opened.once("error", (error) =>
          reject(
            new FarmError("NODE_LISTEN", `${parts.node} cannot answer health checks on ${text}: ${systemCode(error) ?? error.message}`, {
              cause: error,
            }),
          ),
        );
        opened.listen({ host: endpoint.address, port: endpoint.port }, resolve);
      });
      server = opened;
      listening = text;
    },
    close,
  };
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
