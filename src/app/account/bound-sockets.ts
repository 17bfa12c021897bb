import { createServer, type Server, type Socket } from "node:net";

import { systemCode, type Log } from "../../base/index.ts";
import type { PlannedEndpoint } from "./planned-endpoints.ts";

/** Sockets that were bound while the process was root. */
export interface BoundSockets {
  /** Lets the server listen on the socket that is bound there; false when there is none (any longer). Its `listening` event comes as usual. */
  readonly adopt: (server: Server, endpoint: { readonly address: string; readonly port: number }) => boolean;
  /** Closes those that nobody wanted. */
  closeRest(): void;
}

interface Bound {
  readonly server: Server;
  /** Clients that came before the server that takes them. */
  readonly early: Socket[];
}

const BACKLOG = 4_096;
const MAX_EARLY = 1_000;

/** No sockets: servers bind their own. */
export const noSockets: BoundSockets = { adopt: () => false, closeRest: () => undefined };

const keyOf = ({ address, port }: { readonly address: string; readonly port: number }): string => `${address} ${port}`;

/** Binds what can be had; what cannot is logged, and left to whoever wants it: that one reports it. */
export async function bindSockets(endpoints: readonly PlannedEndpoint[], log: Log): Promise<BoundSockets> {
  const bound = new Map<string, Bound>();
  for (const endpoint of endpoints) {
    try {
      bound.set(keyOf(endpoint), await bind(endpoint));
    } catch (error) {
      log.warn("a port cannot be bound before root is given up", {
        address: endpoint.address,
        port: endpoint.port,
        problem: systemCode(error) ?? String(error),
      });
    }
  }
  return {
    adopt(server, endpoint) {
      const taken = bound.get(keyOf(endpoint));
      if (taken === undefined) return false;
      bound.delete(keyOf(endpoint));
      server.once("listening", () => handOver(taken.early, server.ref()));
      server.listen(taken.server, BACKLOG); // another server's socket, which then is this one's
      return true;
    },
    closeRest() {
      for (const { server, early } of bound.values()) {
        server.close();
        for (const socket of early) socket.destroy();
      }
      bound.clear();
    },
  };
}

function bind({ address, port, ipv6Only }: PlannedEndpoint): Promise<Bound> {
  const early: Socket[] = [];
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    if (early.length >= MAX_EARLY) return void socket.destroy();
    early.push(socket.on("error", ignoreReset));
  });
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host: address, port, ipv6Only, backlog: BACKLOG }, () => {
      server.off("error", reject);
      server.unref(); // a start that fails ends the process
      resolve({ server, early });
    });
  });
}

function handOver(early: Socket[], server: Server): void {
  for (const socket of early.splice(0)) {
    socket.off("error", ignoreReset);
    socket.setNoDelay(true);
    server.emit("connection", socket);
  }
}

function ignoreReset(): void {
  // A client that left before it was taken.
}
