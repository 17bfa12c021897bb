import { connect, type Socket } from "node:net";

import { ipFamily, parseIpAddress, type Endpoint } from "../base/index.ts";

/** Version 2's signature, then version 2 with the command LOCAL: the sender speaks for itself, and the real addresses hold. */
const V2_LOCAL = Buffer.from("0d0a0d0a000d0a515549540a20000000", "hex");

/**
 * The octets that go before a ClientHello where a PROXY header is expected (HAProxy's specification, sections 2.1 and 2.2).
 * The client that version 1 names is the prober itself.
 */
export function proxyHeader(version: 1 | 2, source: Endpoint, target: Endpoint): Buffer {
  if (version === 2) return V2_LOCAL;
  const family = ipFamily(target.address) === 6 ? "TCP6" : "TCP4";
  return Buffer.from(`PROXY ${family} ${source.address} ${target.address} ${source.port} ${target.port}\r\n`, "latin1");
}

/** A TCP connection that has sent a PROXY header, unless it fails first. */
export function connectWithHeader(target: Endpoint, version: 1 | 2): Socket {
  const socket = connect({ host: target.address, port: target.port });
  socket.once("connect", () => {
    const address = parseIpAddress(socket.localAddress ?? "");
    const port = socket.localPort;
    if (address !== undefined && port !== undefined) socket.write(proxyHeader(version, { address, port }, target));
  });
  return socket;
}
