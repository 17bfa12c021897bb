import { ServerResponse, type IncomingMessage } from "node:http";
import { Socket } from "node:net";
import type { Duplex } from "node:stream";

/**
 * A response for a request that Node handed over as an upgrade: its parser has let go of the socket, so the answer is
 * written here and ends the connection.
 */
export function responseOver(request: IncomingMessage, socket: Duplex): ServerResponse {
  const response = new ServerResponse(request);
  response.shouldKeepAlive = false;
  // Node hands over a net.Socket or a TLSSocket, which is one; its type is wider for custom servers.
  response.assignSocket(socket as Socket);
  // Node's server passes this on for its own responses only.
  socket.on("drain", () => response.emit("drain"));
  socket.on("error", () => response.destroy());
  socket.once("close", () => response.destroy());
  response.once("finish", () => {
    response.detachSocket(socket as Socket);
    socket.end();
    // The other side may never close its half.
    if (socket instanceof Socket) socket.setTimeout(CLOSE_MS, () => socket.destroy());
  });
  return response;
}

const CLOSE_MS = 2_000;
