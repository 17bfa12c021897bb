import type { Socket } from "node:net";

import { MAX_PROXY_HEADER_BYTES, parseProxyHeader } from "../handshake/index.ts";
import type { Faults } from "./faults.ts";
import type { WantedListener } from "./listeners.ts";

/** Takes a connection as a drill wants it taken. False = no drill is concerned, it is still to be taken. */
export function acceptFaulty(faults: Faults, socket: Socket, listener: WantedListener, tls: (socket: Socket) => void): boolean {
  const { bindingPort, protocol } = listener;
  if (protocol !== "https") return false;
  if (faults.plainPort === bindingPort) {
    answerPlainly(socket);
    return true;
  }
  if (faults.headedPort !== bindingPort) return false;
  demandHeader(socket, () => tls(socket));
  return true;
}

const PLAIN = "HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";

/** As servers do whose port was configured without TLS; certfarm's own plain ports would answer a ClientHello with an alert. */
function answerPlainly(socket: Socket): void {
  socket.on("error", () => socket.destroy());
  socket.once("data", () => socket.end(PLAIN));
  socket.setTimeout(HEADER_MS, () => socket.destroy());
}

const HEADER_MS = 5_000;

/** As servers that were told `accept-proxy`: what begins with no header is closed, without a word. */
function demandHeader(socket: Socket, then: () => void): void {
  let bytes = Buffer.alloc(0);
  const end = (): void => void socket.destroy();
  const deadline = setTimeout(end, HEADER_MS).unref();
  const onData = (chunk: Buffer): void => {
    bytes = Buffer.concat([bytes, chunk]);
    const header = parseProxyHeader(bytes);
    if (header.kind === "incomplete" && bytes.length < MAX_PROXY_HEADER_BYTES) return;
    socket.off("data", onData).off("end", end);
    socket.pause();
    clearTimeout(deadline);
    if (header.kind !== "header") return end();
    const rest = bytes.subarray(header.length);
    if (rest.length > 0) socket.unshift(rest);
    then();
    socket.resume();
  };
  socket.on("error", end).once("close", () => clearTimeout(deadline));
  socket.on("data", onData).once("end", end);
}
