import { connect } from "node:net";

/** What a server answered to raw octets before it closed the connection. */
export interface RawAnswer {
  readonly bytes: Buffer;
  /** Number of the fatal TLS alert that came first. */
  readonly alert: number | undefined;
  /** How the connection ended: closed in order, or reset. */
  readonly end: "closed" | "reset";
  readonly tookMs: number;
}

const DEADLINE_MS = 20_000;

/**
 * Sends octets as they are and reads until the server closes.
 * @param settings.close ends the client's half after the last octet
 */
export function sendRaw(
  port: number,
  bytes: string | Uint8Array,
  settings: { readonly close?: boolean; readonly address?: string } = {},
): Promise<RawAnswer> {
  const startedMs = performance.now();
  return new Promise((resolve, reject) => {
    const socket = connect({ host: settings.address ?? "127.0.0.1", port });
    const got: Buffer[] = [];
    let end: RawAnswer["end"] = "closed";
    socket.setTimeout(DEADLINE_MS, () => reject(new Error(`the server said nothing and closed nothing within ${DEADLINE_MS} ms`)));
    socket.once("connect", () => (settings.close === true ? socket.end(bytes) : socket.write(bytes)));
    socket.on("data", (chunk) => got.push(chunk));
    socket.on("error", () => {
      end = "reset";
    });
    socket.once("close", () => {
      const all = Buffer.concat(got);
      const isAlert = all[0] === 21 && all[1] === 3 && all[5] === 2;
      resolve({ bytes: all, alert: isAlert ? all[6] : undefined, end, tookMs: performance.now() - startedMs });
    });
  });
}
