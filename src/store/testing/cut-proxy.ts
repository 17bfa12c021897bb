import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";

/** A TCP proxy whose cable can be cut. */
export interface CutProxy {
  readonly port: number;
  /** Ends all connections and refuses new ones. */
  cut(): void;
  mend(): void;
  /** The next request that holds the text reaches the server; its connection ends instead of bringing the reply. */
  loseNextReplyTo(text: string): void;
  /** As `loseNextReplyTo`, but the request does not reach the server. */
  loseNextRequest(text: string): void;
  close(): Promise<void>;
}

/** A proxy before a port of this machine. */
export async function startCutProxy(target: number): Promise<CutProxy> {
  const sockets = new Set<Socket>();
  let isCut = false;
  let loss: { readonly text: string; readonly reaches: boolean } | undefined;
  const keep = (socket: Socket, other: Socket): void => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    socket.on("close", () => {
      sockets.delete(socket);
      other.destroy();
    });
  };
  const server = createServer((client) => {
    if (isCut) return client.destroy();
    const upstream = connect(target, "127.0.0.1");
    let losing = false;
    keep(client, upstream);
    keep(upstream, client);
    client.on("data", (chunk) => {
      const isHit = loss !== undefined && chunk.includes(loss.text);
      const { reaches } = loss ?? { reaches: true };
      if (isHit) [losing, loss] = [true, undefined];
      if (isHit && !reaches) return client.destroy();
      upstream.write(chunk);
    });
    upstream.on("data", (chunk) => (losing ? client.destroy() : client.write(chunk)));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    cut() {
      isCut = true;
      for (const socket of sockets) socket.destroy();
    },
    mend() {
      isCut = false;
    },
    loseNextReplyTo(text) {
      loss = { text, reaches: true };
    },
    loseNextRequest(text) {
      loss = { text, reaches: false };
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}
