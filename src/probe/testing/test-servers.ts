import { once } from "node:events";
import { createServer as createHttpsServer } from "node:https";
import type { RequestListener } from "node:http";
import { createServer as createTcpServer, type AddressInfo, type Server, type Socket } from "node:net";
import { createServer as createTlsServer, TLSSocket, type TlsOptions } from "node:tls";

import { instant, requireEndpoint, type Endpoint } from "../../base/index.ts";
import { createAuthority, type Authority, type IssueRequest } from "../../pki/index.ts";

/** What a TLS server is given. */
export interface TestPair {
  readonly key: string;
  readonly cert: string;
}

/** Servers on loopback with certificates of one authority that has an intermediate. */
export class TestServers {
  readonly authority: Authority;
  readonly #open: Server[] = [];
  readonly #sockets = new Set<Socket>();

  constructor(authority: Authority) {
    this.authority = authority;
  }

  static async start(): Promise<TestServers> {
    return new TestServers(await createAuthority({ name: "Probe Test Root", now: instant(Date.now()), intermediate: true }));
  }

  get root(): string {
    return this.authority.certificatePem;
  }

  async issue(names: IssueRequest["names"], more: Omit<IssueRequest, "names"> = {}): Promise<TestPair> {
    const { chainPem, keyPem } = await this.authority.issue({ names, ...more });
    return { key: keyPem.reveal(), cert: chainPem };
  }

  /** Ends TLS and says nothing. */
  tls(options: TlsOptions): Promise<Endpoint> {
    return this.listen(createTlsServer(options, (socket) => void socket.on("error", () => undefined).resume()));
  }

  https(options: TlsOptions, answer: RequestListener): Promise<Endpoint> {
    return this.listen(createHttpsServer(options, answer));
  }

  /** Does with each connection what it is told. */
  raw(behave: (socket: Socket) => void): Promise<Endpoint> {
    return this.listen(createTcpServer((socket) => behave(socket.on("error", () => undefined))));
  }

  /** Ends TLS behind a PROXY header of version 1, and closes connections that begin otherwise. */
  behindProxyHeader(pair: TestPair): Promise<Endpoint> {
    return this.raw((socket) => {
      socket.once("data", (first) => {
        const end = first.indexOf("\r\n") + 2;
        if (!first.toString("latin1").startsWith("PROXY TCP") || end < 2) return socket.end();
        socket.pause();
        if (first.length > end) socket.unshift(first.subarray(end));
        const secure = new TLSSocket(socket, { isServer: true, ...pair });
        secure.on("error", () => undefined).resume();
      });
    });
  }

  async listen(server: Server, address = "127.0.0.1"): Promise<Endpoint> {
    this.#open.push(server);
    server.on("connection", (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
    });
    server.listen(0, address);
    await once(server, "listening");
    const { port } = server.address() as AddressInfo; // a TCP server that listens has one
    return requireEndpoint(address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`);
  }

  /** An endpoint where nobody listens. */
  async nobody(): Promise<Endpoint> {
    const server = createTcpServer();
    const endpoint = await this.listen(server);
    server.close();
    await once(server, "close");
    return endpoint;
  }

  close(): void {
    for (const server of this.#open) server.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}
