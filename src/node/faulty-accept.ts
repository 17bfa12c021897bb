import type { Socket } from "node:net";

import { MAX_PROXY_HEADER_BYTES, parseProxyHeader } from "../handshake/index.ts";
import type { Faults } from "./faults.ts";
import type { WantedListener } from "./listeners.ts";

/** Where connections go: to TLS, or to HTTP in the clear. */
export interface Fronts {
  readonly tls: (socket: Socket, bindingPort: number) => void;
  readonly plain: (socket: Socket, bindingPort: number) => void;
}

/** Takes a connection as a drill wants it taken. False = no drill is concerned, it is still to be taken. */
export function acceptFaulty(faults: Faults, socket: Socket, listener: WantedListener, fronts: Fronts): boolean {
  const { bindingPort, protocol } = listener;
  if (protocol !== "https") return false;
  if (faults.plainPort === bindingPort) {
    fronts.plain(socket, bindingPort);
    return true;
  }
  if (faults.headedPort !== bindingPort) return false;
  demandHeader(socket, () => fronts.tls(socket, bindingPort));
  return true;
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
