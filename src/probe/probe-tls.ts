import { connect, type TLSSocket } from "node:tls";

import { FarmError, systemCode, toFarmError, type Clock, type Endpoint, type HostName } from "../base/index.ts";
import type { Observation, ProbeOutcome } from "../doctor/index.ts";
import { receivedAlert } from "./alert-names.ts";
import { clientContext, type ClientSettings } from "./client-context.ts";
import { servedOutcome } from "./served.ts";

/** One question to one address. */
export interface ProbeOptions extends ClientSettings {
  readonly target: Endpoint;
  /** Sent as SNI, and the name that the certificate is checked for; absent = no SNI, no name check. */
  readonly host?: HostName;
  /** Offered protocols in order of preference; absent = the extension is not sent. */
  readonly alpn?: readonly string[];
  /** For connect and handshake together. */
  readonly timeoutMs: number;
  /** A session that `onSession` gave out before. */
  readonly session?: Buffer;
  /** Gets the session a server handed out; the probe then waits for it, at most LINGER_MS. Not called when none came. */
  readonly onSession?: (session: Buffer) => void;
  readonly clock: Clock;
  readonly signal?: AbortSignal;
}

/** How long a served connection is waited for: a session ticket, and the other side's half of the close. */
const LINGER_MS = 500;

/**
 * One TCP connect and TLS handshake, and what came of it; nothing of it lives on when the promise settles.
 * Without `verify`, `chainLength` is 0 and `verified` is `NOT_CHECKED`.
 * A server that asks for a client certificate in TLS 1.3 counts as serving: the handshake ends before it objects.
 * @throws CANCELLED when the signal aborts; INTERNAL for settings that OpenSSL refuses
 */
export async function probeTls(options: ProbeOptions): Promise<Observation> {
  const { clock, target, host } = options;
  if (options.signal?.aborted === true) throw cancelled(target);
  const at = clock.now();
  const started = clock.monotonicMs();
  let tookMs = 0;
  const outcome = await dial(options, () => (tookMs = clock.monotonicMs() - started));
  return { target, ...(host === undefined ? {} : { host }), at, tookMs, outcome };
}

const cancelled = (target: Endpoint): FarmError =>
  new FarmError("CANCELLED", `The probe of ${target.address} port ${target.port} was cancelled`);

function open(options: ProbeOptions): TLSSocket {
  const { target, host, alpn, session } = options;
  try {
    return connect({
      host: target.address,
      port: target.port,
      secureContext: clientContext(options),
      rejectUnauthorized: false,
      // The name is checked in `served`, only when asked.
      checkServerIdentity: () => undefined,
      ...(host === undefined ? {} : { servername: host }),
      ...(alpn === undefined ? {} : { ALPNProtocols: [...alpn] }),
      ...(session === undefined ? {} : { session }),
    });
  } catch (thrown) {
    throw toFarmError(thrown);
  }
}

function dial(options: ProbeOptions, decided: () => void): Promise<ProbeOutcome> {
  return new Promise((resolve, reject) => {
    const socket = open(options);
    let connected = false;
    let outcome: ProbeOutcome | undefined;
    let aborted = false;
    const settle = (value: ProbeOutcome): void => {
      if (outcome !== undefined) return;
      outcome = value;
      decided();
    };
    const fail = (value: ProbeOutcome): void => {
      settle(value);
      socket.destroy();
    };
    const deadline = setTimeout(() => fail({ kind: "timeout", during: connected ? "handshake" : "connect" }), options.timeoutMs);
    let linger: NodeJS.Timeout | undefined;
    const onAbort = (): void => {
      aborted = true;
      socket.destroy();
    };
    options.signal?.addEventListener("abort", onAbort, { once: true });
    socket.once("connect", () => (connected = true));
    socket.once("secureConnect", () => {
      clearTimeout(deadline);
      settle(servedOutcome(socket, options.host, options.verify));
      linger = setTimeout(() => socket.destroy(), LINGER_MS);
      leave(socket, options.onSession);
    });
    socket.on("error", (error) => settle(failure(error, connected)));
    socket.once("close", () => {
      clearTimeout(deadline);
      clearTimeout(linger);
      options.signal?.removeEventListener("abort", onAbort);
      settle({ kind: "closed" });
      if (aborted) reject(cancelled(options.target));
      else if (outcome !== undefined) resolve(outcome);
    });
  });
}

/** Ends the connection in order, after the session when one is wanted. Reading on lets the other side's close arrive. */
function leave(socket: TLSSocket, onSession: ((session: Buffer) => void) | undefined): void {
  socket.resume();
  if (onSession === undefined) {
    socket.end();
    return;
  }
  const early = socket.getProtocol() === "TLSv1.3" ? undefined : socket.getSession();
  if (early !== undefined) {
    onSession(early);
    socket.end();
    return;
  }
  socket.once("session", (session: Buffer) => {
    onSession(session);
    socket.end();
  });
}

/** Tells an error before the handshake was done. */
function failure(error: Error, connected: boolean): ProbeOutcome {
  const code = systemCode(error) ?? "ERR_UNKNOWN";
  const alert = receivedAlert(error.message);
  if (alert !== undefined) return { kind: "alert", alert };
  if (code === "ECONNREFUSED") return { kind: "refused" };
  if (code === "ETIMEDOUT") return { kind: "timeout", during: connected ? "handshake" : "connect" };
  if (code === "EPIPE") return { kind: "reset" };
  // Node makes up an ECONNRESET of its own, without a system call, when the other side closed in order before the end of the handshake.
  if (code === "ECONNRESET") return { kind: "syscall" in error ? "reset" : "closed" };
  const firstLine = (error.message.split("\n", 1)[0] ?? "").replace(/^[0-9A-F]+:error:/, "error:").replace(/:[^:]*\.c:\d+:.*$/, "");
  return { kind: "error", code, message: firstLine };
}
