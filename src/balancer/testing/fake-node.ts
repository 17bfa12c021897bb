import { createServer as createHttpServer, type Server as HttpServer } from "node:http";
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";

import { parseIpAddress, type IpAddress } from "../../base/index.ts";
import type { NodeConfig } from "../../config/index.ts";

export const LOOPBACK = parseIpAddress("127.0.0.1") as IpAddress; // a literal

/** What a test's node does with a connection; the default answers with the node's name and then echoes. */
export type Behaviour = (socket: Socket, node: FakeNode) => void;

const greetAndEcho: Behaviour = (socket, node) => {
  socket.write(`${node.name}:`);
  socket.pipe(socket);
};

/** A node as the balancer sees it: a health port and a port for connections. */
export class FakeNode {
  readonly name: string;
  readonly sockets = new Set<Socket>();
  /** Hosts it proved. */
  readonly proved = new Set<string>();
  /** Paths that were asked for on the health port. */
  readonly questions: string[] = [];
  ready = true;
  draining = false;
  /** Undefined = no `/proofs`. */
  feed: { generation: number; reset: boolean; changes: { host: string; port: number; proved: boolean }[] } | undefined;
  /** Answers to `/readyz?host=` wait for this. */
  gate: Promise<void> = Promise.resolve();
  /** Where it takes, or took, connections. */
  port = 0;
  readonly #server: Server;
  readonly #health: HttpServer;

  private constructor(name: string, behaviour: Behaviour) {
    this.name = name;
    this.#server = createServer({ allowHalfOpen: true }, (socket) => {
      this.sockets.add(socket);
      socket.on("close", () => this.sockets.delete(socket));
      socket.on("error", () => socket.destroy());
      behaviour(socket, this);
    });
    this.#health = createHttpServer((request, response) => {
      const url = new URL(request.url ?? "/", "http://node");
      this.questions.push(request.url ?? "");
      const host = url.searchParams.get("host");
      if (url.pathname === "/proofs") {
        response.writeHead(this.feed === undefined ? 404 : 200).end(JSON.stringify(this.feed ?? {}));
      } else if (host === null) {
        response.writeHead(this.ready && !this.draining ? 200 : 503).end(JSON.stringify({ ready: this.ready, draining: this.draining }));
      } else void this.gate.then(() => response.writeHead(this.proved.has(host) ? 200 : 503).end());
    });
  }

  static async open(name: string, options: { behaviour?: Behaviour; address?: string } = {}): Promise<FakeNode> {
    const node = new FakeNode(name, options.behaviour ?? greetAndEcho);
    await listen(node.#server, options.address ?? LOOPBACK);
    node.port = (node.#server.address() as AddressInfo).port; // it listens on TCP
    await listen(node.#health, LOOPBACK);
    return node;
  }

  get healthPort(): number {
    return (this.#health.address() as AddressInfo).port; // it listens on TCP
  }

  /** Its row in farm.yaml; binding ports 443 and 80 both lead to its one port. */
  config(overrides: Partial<NodeConfig> = {}): NodeConfig {
    return {
      name: this.name,
      addresses: [LOOPBACK],
      ports: new Map([
        [443, this.port],
        [80, this.port],
      ]),
      health: { address: LOOPBACK, port: this.healthPort },
      reconcile: "mend",
      weight: 1,
      ...overrides,
    };
  }

  /** Stops taking connections; the health port goes on. */
  stopServing(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    return new Promise((resolve) => void this.#server.close(() => resolve()));
  }

  /** Closes the health port; connections go on. */
  stopHealth(): Promise<void> {
    this.#health.closeAllConnections();
    return new Promise((resolve) => void this.#health.close(() => resolve()));
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    this.#health.closeAllConnections();
    this.#health.close();
    this.#server.close();
  }
}

/** Listens on a free port. */
export function listen(server: Server | HttpServer, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host, port: 0 }, resolve);
  });
}

/** A port that was free a moment ago. */
export async function freePort(host: string = LOOPBACK): Promise<number> {
  const server = createServer();
  await listen(server, host);
  const { port } = server.address() as AddressInfo; // it listens on TCP
  await new Promise((resolve) => void server.close(resolve));
  return port;
}
