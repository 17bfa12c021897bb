import { once } from "node:events";
import { connect, createServer, type AddressInfo } from "node:net";

/** What went through a counting proxy in a time. */
export interface Traffic {
  readonly requestsPerSecond: number;
  /** Both ways. */
  readonly bytesPerSecond: number;
}

/** A TCP proxy that counts. */
export interface CountingProxy {
  readonly port: number;
  /** Counts for a time that begins now. */
  look(ms: number): Promise<Traffic>;
  close(): Promise<void>;
}

const REQUEST = /POST \S+ HTTP\/1\.1/g;

/** A proxy before a port of this machine that counts requests and octets. */
export async function startCountingProxy(target: number): Promise<CountingProxy> {
  let requests = 0;
  let bytes = 0;
  const server = createServer((client) => {
    const upstream = connect(target, "127.0.0.1");
    const join = (from: typeof client, to: typeof client): void => {
      from.on("error", () => undefined);
      from.on("close", () => to.destroy());
      from.on("data", (chunk) => (bytes += chunk.byteLength));
      from.pipe(to);
    };
    join(client, upstream);
    join(upstream, client);
    client.on("data", (chunk) => (requests += chunk.toString("latin1").match(REQUEST)?.length ?? 0));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    async look(ms) {
      [requests, bytes] = [0, 0];
      const startMs = performance.now();
      await new Promise((resolve) => setTimeout(resolve, ms));
      const seconds = (performance.now() - startMs) / 1000;
      return { requestsPerSecond: requests / seconds, bytesPerSecond: bytes / seconds };
    },
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
