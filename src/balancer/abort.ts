import type { Socket } from "node:net";

/** Resets a connection (RST); one that is not made yet is given up at once, not only after it was made. */
export function abort(socket: Socket | undefined): void {
  if (socket === undefined || socket.destroyed) return;
  if (socket.connecting) socket.destroy();
  else socket.resetAndDestroy();
}
