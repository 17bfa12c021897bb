import { Socket } from "node:net";
import type { Duplex } from "node:stream";

/** The two ends of an upgraded connection. */
export interface TunnelParts {
  readonly near: { readonly socket: Duplex; readonly head: Buffer };
  readonly far: { readonly socket: Duplex; readonly head: Buffer };
  /** Fields of the 101 answer. */
  readonly head: readonly string[];
  readonly idleMs: number;
  readonly tunnels: Set<Duplex>;
}

/** Answers 101 and joins both sockets until either is gone or nothing passed for `idleMs`. `ended` gets the octets sent to the client. */
export function joinTunnel(parts: TunnelParts, ended: (bytes: number) => void): void {
  const { near, far, tunnels } = parts;
  let bytes = far.head.length;
  let open = true;
  const end = (): void => {
    if (!open) return;
    open = false;
    near.socket.destroy();
    far.socket.destroy();
    tunnels.delete(near.socket);
    ended(bytes);
  };
  tunnels.add(near.socket);
  for (const socket of [near.socket, far.socket]) {
    socket.on("error", end);
    socket.once("close", end);
    if (socket instanceof Socket) {
      socket.setNoDelay(true);
      socket.setKeepAlive(true, 30_000);
      socket.setTimeout(parts.idleMs, end);
    }
  }
  near.socket.write(headOf(parts.head), "latin1");
  if (far.head.length > 0) near.socket.write(far.head);
  if (near.head.length > 0) far.socket.write(near.head);
  far.socket.on("data", (chunk: Buffer) => (bytes += chunk.length));
  far.socket.pipe(near.socket);
  near.socket.pipe(far.socket);
}

function headOf(fields: readonly string[]): string {
  let text = "HTTP/1.1 101 Switching Protocols\r\n";
  for (let at = 0; at < fields.length; at += 2) text += `${fields[at]}: ${fields[at + 1]}\r\n`;
  return `${text}\r\n`;
}
