import type { Socket } from "node:net";

import { MAX_PROXY_HEADER_BYTES, parseProxyHeader } from "../handshake/index.ts";
import type { ConnectionFacts } from "../web/index.ts";
import type { ConnectionRegister } from "./connections.ts";
import { peerAddress, type ClientAddress } from "./hello-intake.ts";
import type { HttpServers } from "./http-servers.ts";
import type { ProxyTrust } from "./trusted-proxies.ts";

/** Takes plain HTTP connections: reads the balancer's PROXY header where one may come, then hands them to HTTP. */
export interface PlainFront {
  accept(socket: Socket, bindingPort: number): void;
}

/** What the plain front works with. */
export interface PlainFrontParts {
  readonly connections: ConnectionRegister;
  readonly http: () => HttpServers | undefined;
  readonly trusts: ProxyTrust;
  readonly headerTimeoutMs: () => number;
}

/** A front for bindings of protocol http. */
export function createPlainFront(parts: PlainFrontParts): PlainFront {
  const serve = (socket: Socket, bindingPort: number, client: ClientAddress, bytes?: Buffer): void => {
    const http = parts.http();
    if (http === undefined) return void socket.destroy();
    const facts: ConnectionFacts = { protocol: "http", bindingPort, clientAddress: client.address, clientPort: client.port };
    if (bytes !== undefined && bytes.length > 0) socket.unshift(bytes);
    http.take(socket, facts, "http/1.1");
    socket.resume(); // readHeader() paused it, and adding a listener does not undo that
  };

  const readHeader = (socket: Socket, bindingPort: number, peer: ClientAddress): void => {
    let bytes: Buffer | undefined;
    // One deadline for the whole header. Who closes his half before it ends says no more: a balancer's TCP check, mostly.
    const end = (): void => void socket.destroy();
    const deadline = setTimeout(end, parts.headerTimeoutMs()).unref();
    socket.once("end", end).once("close", () => clearTimeout(deadline));
    const onData = (chunk: Buffer): void => {
      bytes = bytes === undefined ? chunk : Buffer.concat([bytes, chunk]);
      const header = parseProxyHeader(bytes);
      if (header.kind === "incomplete" && bytes.length < MAX_PROXY_HEADER_BYTES) return;
      socket.off("data", onData).off("end", end);
      socket.pause();
      clearTimeout(deadline);
      if (header.kind === "none") return serve(socket, bindingPort, peer, bytes);
      if (header.kind !== "header") return void socket.destroy();
      serve(socket, bindingPort, header.source ?? peer, bytes.subarray(header.length));
    };
    socket.on("data", onData);
  };

  return {
    accept(socket, bindingPort) {
      socket.on("error", ignoreReset);
      if (!parts.connections.add(socket)) return void socket.destroy();
      const peer = { address: peerAddress(socket), port: socket.remotePort ?? 0 };
      if (parts.trusts(peer.address)) readHeader(socket, bindingPort, peer);
      else serve(socket, bindingPort, peer);
    },
  };
}

function ignoreReset(): void {
  // A reset shows as 'close'; the register counts that.
}
