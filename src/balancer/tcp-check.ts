import { connect } from "node:net";

import type { Endpoint } from "../base/index.ts";
import { proxyHeader } from "../handshake/index.ts";

/**
 * Whether a TCP connection to an endpoint succeeds in time. With `local`, a PROXY header of the kind LOCAL says that no
 * client is behind it, so that the node does not take the check for a broken handshake.
 */
export function tcpCheck(endpoint: Endpoint, options: { readonly timeoutMs: number; readonly local: boolean }): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: endpoint.address, port: endpoint.port });
    const settle = (reached: boolean): void => {
      clearTimeout(timer);
      resolve(reached);
    };
    const timer = setTimeout(() => {
      settle(false);
      socket.destroy();
    }, options.timeoutMs);
    socket.on("error", () => settle(false));
    socket.on("connect", () => {
      settle(true);
      if (options.local) socket.write(proxyHeader());
      socket.end(() => socket.destroy());
    });
  });
}
