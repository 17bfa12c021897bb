import type { TLSSocket } from "node:tls";

import type { Observation } from "../doctor/index.ts";
import { whatSpeaks } from "./first-octets.ts";
import { openTls, type ProbeOptions } from "./open-tls.ts";

/** How long a served connection is waited for: a session ticket, and the other side's half of the close. */
const LINGER_MS = 500;

/**
 * One TCP connect and TLS handshake, and what came of it; nothing of it lives on when the promise settles.
 * Without `verify`, `chainLength` is 0 (unless `countChain`), `chain` absent and `verified` is `NOT_CHECKED`.
 * A server that asks for a client certificate in TLS 1.3 counts as serving: the handshake ends before it objects.
 * @throws CANCELLED when the signal aborts before the outcome is known; INTERNAL for settings that OpenSSL refuses
 */
export async function probeTls(options: ProbeOptions): Promise<Observation> {
  const wait = options.onSession === undefined ? undefined : new SessionWait(options.onSession);
  const { observation, socket } = await openTls(wait === undefined ? options : { ...options, onSession: wait.take });
  if (socket !== undefined) await leave(socket, wait);
  return options.firstOctets === true ? withFirstOctets(observation, options) : observation;
}

/** The first session that a server hands out. It can come with the end of the handshake, or after it. */
class SessionWait {
  readonly #onSession: (session: Buffer) => void;
  #taken = false;
  /** Called when one has come. */
  onTaken: (() => void) | undefined;

  constructor(onSession: (session: Buffer) => void) {
    this.#onSession = onSession;
  }

  readonly take = (session: Buffer): void => {
    if (this.#taken) return;
    this.#taken = true;
    this.#onSession(session);
    this.onTaken?.();
  };

  /** Before TLS 1.3 the session is there with the end of the handshake, resumed or new. */
  readFrom(socket: TLSSocket): boolean {
    const session = socket.getProtocol() === "TLSv1.3" ? undefined : socket.getSession();
    if (session !== undefined) this.take(session);
    return this.#taken;
  }
}

/**
 * Ends the connection in order, after the session when one is wanted. Reading on lets the other side's close arrive. A signal that
 * aborts now is not listened to: what was asked is known, and the wait is short.
 */
function leave(socket: TLSSocket, wait: SessionWait | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (socket.closed) return resolve();
    const linger = setTimeout(() => socket.destroy(), LINGER_MS);
    socket.once("close", () => {
      clearTimeout(linger);
      resolve();
    });
    if (wait === undefined || wait.readFrom(socket)) socket.end();
    else wait.onTaken = () => void socket.end();
    socket.resume();
  });
}

async function withFirstOctets(observation: Observation, options: ProbeOptions): Promise<Observation> {
  const { outcome } = observation;
  if (outcome.kind !== "error" || !outcome.code.startsWith("ERR_SSL_") || options.proxyHeader !== undefined) return observation;
  const { target, timeoutMs, host, serverName = host, signal } = options;
  const asked = { target, timeoutMs, ...(serverName === undefined ? {} : { serverName }), ...(signal === undefined ? {} : { signal }) };
  const speaks = await whatSpeaks(asked);
  return speaks === undefined ? observation : { ...observation, outcome: { ...outcome, speaks } };
}
