import { createServer, type Server, type Socket } from "node:net";

import { systemCode, type Endpoint, type ErrorCode, type IpAddress, type Log } from "../base/index.ts";
import type { FarmConfig, NodeConfig } from "../config/index.ts";
import type { NodeReport } from "../replica/index.ts";

/** A socket that the node should listen on. */
export interface WantedListener {
  readonly address: IpAddress;
  readonly bindingPort: number;
  readonly port: number;
  readonly protocol: "http" | "https";
}

/** Lets a server listen on a socket that was bound before this process gave up the right to; false when there is none. */
export type Adopt = (server: Server, endpoint: Endpoint) => boolean;

/** The node's listening sockets, brought to what is wanted as often as asked. */
export interface Listeners {
  /** Opens what is missing, closes what is no longer wanted; connections live on. Problems are in `state()`, and tried again by the next call. */
  apply(wanted: readonly WantedListener[]): Promise<void>;
  state(): NodeReport["listeners"];
  /** Those that are open. */
  open(): readonly WantedListener[];
  /** Every listener is open. */
  readonly healthy: boolean;
  /** For good: a pass that is under way, or comes later, opens nothing. */
  close(): Promise<void>;
}

const BACKLOG = 4_096;

const keyOf = (wanted: WantedListener): string => `${wanted.protocol} ${wanted.address} ${wanted.bindingPort} ${wanted.port}`;

/** What a node listens on by its configuration: every bound port, on each of its addresses. */
export function wantedListeners(config: FarmConfig, node: NodeConfig): readonly WantedListener[] {
  const protocols = new Map<number, "http" | "https">();
  for (const site of config.sites) for (const binding of site.bindings) protocols.set(binding.port, binding.protocol);
  return [...protocols].flatMap(([bindingPort, protocol]) =>
    node.addresses.map((address) => ({ address, bindingPort, port: node.ports.get(bindingPort) ?? bindingPort, protocol })),
  );
}

/** No listeners yet. `accept` gets every connection with the listener that took it. */
export function createListeners(
  log: Log,
  accept: (socket: Socket, listener: WantedListener) => void,
  adopt: Adopt = () => false,
): Listeners {
  const open = new Map<string, { readonly wanted: WantedListener; readonly server: Server }>();
  const problems = new Map<string, { readonly wanted: WantedListener; readonly problem: string; readonly code: ErrorCode }>();
  let closed = false;

  const openOne = async (wanted: WantedListener): Promise<void> => {
    // Plain HTTP clients may close their half and wait for the answer. A TLS connection that is closed on one side is over: nobody would
    // ever end the other side of one whose client leaves between handshake and request.
    const allowHalfOpen = wanted.protocol === "http";
    const server = createServer({ noDelay: true, allowHalfOpen }, (socket) => accept(socket, wanted));
    try {
      await listen(server, wanted, adopt);
      if (closed) return void server.close();
      server.on("error", (error) => log.error("listener failed", { listener: keyOf(wanted), error: error.message }));
      open.set(keyOf(wanted), { wanted, server });
      problems.delete(keyOf(wanted));
      log.info("listening", { address: wanted.address, port: wanted.port, bindingPort: wanted.bindingPort, protocol: wanted.protocol });
    } catch (error) {
      const problem = describeListenError(error, wanted);
      const code = systemCode(error) === "EACCES" ? "PORT_DENIED" : "NODE_LISTEN";
      if (problems.get(keyOf(wanted))?.problem !== problem)
        log.error("cannot listen", { address: wanted.address, port: wanted.port, code, problem });
      problems.set(keyOf(wanted), { wanted, problem, code });
    }
  };

  return {
    async apply(wanted) {
      if (closed) return;
      const keys = new Set(wanted.map(keyOf));
      for (const key of problems.keys()) if (!keys.has(key)) problems.delete(key);
      for (const [key, { server }] of open) {
        if (keys.has(key)) continue;
        open.delete(key);
        server.close();
      }
      await Promise.all(wanted.filter((one) => !open.has(keyOf(one))).map(openOne));
    },
    state: () => [
      ...[...open.values()].map(({ wanted }) => wanted),
      ...[...problems.values()].map(({ wanted, problem, code }) => ({ ...wanted, problem, code })),
    ],
    open: () => [...open.values()].map(({ wanted }) => wanted),
    get healthy() {
      return problems.size === 0;
    },
    async close() {
      closed = true;
      for (const { server } of open.values()) server.close();
      open.clear();
      await Promise.resolve();
    },
  };
}

function listen(server: Server, wanted: WantedListener, adopt: Adopt): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.once("listening", () => {
      server.off("error", reject);
      resolve();
    });
    if (adopt(server, wanted)) return;
    server.listen({ host: wanted.address, port: wanted.port, backlog: BACKLOG, ipv6Only: wanted.address === "::" });
  });
}

function describeListenError(error: unknown, wanted: WantedListener): string {
  switch (systemCode(error)) {
    case "EADDRINUSE":
      return `another process has port ${wanted.port} on ${wanted.address}`;
    case "EACCES":
      return `account ${process.getuid?.() ?? "?"} may not open port ${wanted.port} (PORT_DENIED): restart the node if it was started as root with --user, else give it CAP_NET_BIND_SERVICE`;
    case "EADDRNOTAVAIL":
      return `${wanted.address} is not an address of this machine`;
    default:
      return error instanceof Error ? error.message : String(error);
  }
}
