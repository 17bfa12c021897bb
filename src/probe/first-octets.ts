import { connect as connectTcp } from "node:net";
import { Duplex } from "node:stream";
import { connect as connectTls } from "node:tls";

import type { Endpoint } from "../base/index.ts";
import { clientContext } from "./client-context.ts";

/** Octets that tell HTTP from anything else. */
const ENOUGH = 16;
const HTTP = /^(?:HTTP\/|<!?\s*(?:html|doctype))/i;
/** Types of TLS records, RFC 8446 section 5.1. */
const TLS_TYPES = new Set([20, 21, 22, 23]);

/** Whom to ask once more, and how long to wait. */
export interface FirstOctetsQuestion {
  readonly target: Endpoint;
  readonly serverName?: string;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

/**
 * What an address whose answer to a ClientHello is not TLS sends instead: OpenSSL keeps that to itself, so the same ClientHello is sent
 * once more without it. undefined when nothing comes, or TLS does.
 */
export async function whatSpeaks(question: FirstOctetsQuestion): Promise<"http" | "other" | undefined> {
  const octets = await firstOctets(question, await clientHello(question.serverName));
  if (octets.length === 0) return undefined;
  if (TLS_TYPES.has(octets[0] ?? 0) && octets[1] === 3) return undefined;
  return HTTP.test(octets.toString("latin1")) ? "http" : "other";
}

/** A ClientHello as probes send it. */
function clientHello(serverName: string | undefined): Promise<Buffer> {
  return new Promise((resolve) => {
    const wire = new Duplex({
      read: () => undefined,
      write: (chunk: Buffer, _encoding, done) => {
        resolve(chunk);
        done();
        setImmediate(() => socket.destroy());
      },
    });
    const context = { secureContext: clientContext({ verify: false }), rejectUnauthorized: false };
    const socket = connectTls({ ...context, socket: wire, ...(serverName === undefined ? {} : { servername: serverName }) });
    socket.on("error", () => undefined); // it ends before it was answered
  });
}

function firstOctets({ target, timeoutMs, signal }: FirstOctetsQuestion, hello: Buffer): Promise<Buffer> {
  return new Promise((resolve) => {
    let octets: Buffer = Buffer.alloc(0);
    const socket = connectTcp({ host: target.address, port: target.port }, () => socket.write(hello));
    const stop = (): void => void socket.destroy();
    const deadline = setTimeout(stop, timeoutMs);
    signal?.addEventListener("abort", stop, { once: true });
    if (signal?.aborted === true) stop();
    socket.on("data", (chunk) => {
      octets = Buffer.concat([octets, chunk.subarray(0, ENOUGH)]);
      if (octets.length >= ENOUGH) stop();
    });
    socket.on("error", () => undefined); // what came before it counts
    socket.once("close", () => {
      clearTimeout(deadline);
      signal?.removeEventListener("abort", stop);
      resolve(octets);
    });
  });
}
