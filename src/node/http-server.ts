import type { Socket } from "node:net";

import type { ConnectionFacts } from "../web/index.ts";

/** A server of one version of HTTP. It never listens: decrypted (or plain) connections are handed to it. */
export interface HttpServer {
  /** Takes a connection and what is known of it; TLS connections are decrypted already. */
  take(socket: Socket, facts: ConnectionFacts): void;
  /** The node ends soon: answers say that they are the last on their connection, so that clients come back elsewhere in time. Nothing is closed. */
  announceEnd(): void;
  /**
   * No more requests than one on open connections: idle ones are closed, the others after their answer. Connections whose first request has
   * not come yet wait for it a little; what is taken later ends after one answer.
   */
  drain(): void;
  close(): void;
}
