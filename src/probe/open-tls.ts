import { connect, type ConnectionOptions, type DetailedPeerCertificate, type TLSSocket } from "node:tls";

import { FarmError, systemCode, toFarmError, type Clock, type Endpoint, type HostName } from "../base/index.ts";
import type { Observation, ProbeOutcome } from "../doctor/index.ts";
import { receivedAlert } from "./alert-names.ts";
import { clientContext, type ClientSettings } from "./client-context.ts";
import { connectWithHeader } from "./proxy-header.ts";
import { SeenCertificates } from "./seen-certificates.ts";
import { servedOutcome } from "./served.ts";

/** One question to one address. */
export interface ProbeOptions extends ClientSettings {
  readonly target: Endpoint;
  /** Sent as SNI, and the name that the certificate is checked for; absent = no SNI, no name check. */
  readonly host?: HostName;
  /** Sent as SNI instead of `host`, as it stands: `www.example.com.` with the dot that RFC 6066 forbids. */
  readonly serverName?: string;
  /** Offered protocols in order of preference; absent = the extension is not sent. */
  readonly alpn?: readonly string[];
  /** For connect and handshake together. */
  readonly timeoutMs: number;
  /** A session that `onSession` gave out before. */
  readonly session?: Buffer;
  /** Gets the session a server handed out; the probe then waits for it, at most LINGER_MS. Not called when none came. */
  readonly onSession?: (session: Buffer) => void;
  /** Version of a PROXY protocol header to send before the ClientHello. */
  readonly proxyHeader?: 1 | 2;
  /** Whether a stapled OCSP response is asked for. */
  readonly staple?: boolean;
  /** Whether `chainLength` is told without `verify` too. */
  readonly countChain?: boolean;
  /** Whether an address that does not answer with TLS is dialled once more, to see what it speaks. */
  readonly firstOctets?: boolean;
  /** Where the facts of certificates are kept: the same object for the same certificate. @default a small one of the process */
  readonly certificates?: SeenCertificates;
  readonly clock: Clock;
  readonly signal?: AbortSignal;
}

/** A handshake that is over, and the connection when it was served: the caller closes it. */
export interface OpenedTls {
  readonly observation: Observation;
  readonly socket?: TLSSocket;
}

const someCertificates = new SeenCertificates(256);

/** That a caller's signal ended a probe. */
export const cancelled = (target: Endpoint): FarmError =>
  new FarmError("CANCELLED", `The probe of ${target.address} port ${target.port} was cancelled`);

/**
 * One TCP connect and TLS handshake. Unless it was served, nothing of it lives on when the promise settles.
 * @throws CANCELLED when the signal aborts; INTERNAL for settings that OpenSSL refuses
 */
export async function openTls(options: ProbeOptions): Promise<OpenedTls> {
  const { clock, target, host, proxyHeader } = options;
  if (options.signal?.aborted === true) throw cancelled(target);
  const at = clock.now();
  const started = clock.monotonicMs();
  let tookMs = 0;
  const { outcome, socket } = await dial(options, () => (tookMs = clock.monotonicMs() - started));
  const how = { ...(host === undefined ? {} : { host }), ...(proxyHeader === undefined ? {} : { proxyHeader }) };
  return { observation: { target, ...how, at, tookMs, outcome }, ...(socket === undefined ? {} : { socket }) };
}

function open(options: ProbeOptions): TLSSocket {
  const { target, host, serverName = host, alpn, session, proxyHeader, staple, onSession } = options;
  try {
    const settings: ConnectionOptions = {
      secureContext: clientContext(options),
      rejectUnauthorized: false,
      // The name is checked in `served`, only when asked.
      checkServerIdentity: () => undefined,
      ...(serverName === undefined ? {} : { servername: serverName }),
      ...(alpn === undefined ? {} : { ALPNProtocols: [...alpn] }),
      ...(session === undefined ? {} : { session }),
      ...(staple === true ? { requestOCSP: true } : {}),
    };
    const socket =
      proxyHeader === undefined
        ? connect({ ...settings, host: target.address, port: target.port })
        : connect({ ...settings, socket: connectWithHeader(target, proxyHeader) });
    // Node would make the legacy object of every certificate, for half the cost of a handshake, to have its name checked by the function above.
    socket.getPeerCertificate = noCertificate;
    // In TLS 1.3 it can come in the same breath as the end of the handshake.
    if (onSession !== undefined) socket.once("session", onSession);
    return socket;
  } catch (thrown) {
    throw toFarmError(thrown);
  }
}

const noCertificate = (): DetailedPeerCertificate => ({}) as DetailedPeerCertificate; // as Node itself answers when there is none

interface Dialled {
  readonly outcome: ProbeOutcome;
  readonly socket?: TLSSocket;
}

function dial(options: ProbeOptions, decided: () => void): Promise<Dialled> {
  return new Promise((resolve, reject) => {
    const socket = open(options);
    const { host, verify, certificates = someCertificates, signal } = options;
    let connected = false;
    let stapled = false;
    let outcome: ProbeOutcome | undefined;
    let aborted = false;
    const settle = (value: ProbeOutcome): void => {
      if (outcome !== undefined) return;
      outcome = value;
      decided();
    };
    const end = (): void => {
      clearTimeout(deadline);
      signal?.removeEventListener("abort", onAbort);
      socket.removeListener("close", onClose);
    };
    const onClose = (): void => {
      end();
      settle({ kind: "closed" });
      if (aborted) reject(cancelled(options.target));
      else if (outcome !== undefined) resolve({ outcome });
    };
    const onAbort = (): void => {
      aborted = true;
      socket.destroy();
    };
    const deadline = setTimeout(() => {
      settle({ kind: "timeout", during: connected ? "handshake" : "connect" });
      socket.destroy();
    }, options.timeoutMs);
    signal?.addEventListener("abort", onAbort, { once: true });
    socket.once("connect", () => (connected = true));
    if (options.staple === true) socket.once("OCSPResponse", (response: Buffer | null) => (stapled = response !== null));
    socket.once("secureConnect", () => {
      if (outcome !== undefined) return;
      end();
      const { countChain = false, staple } = options;
      const reading = {
        verify,
        countChain,
        certificates,
        ...(host === undefined ? {} : { host }),
        ...(staple === true ? { stapled } : {}),
      };
      const served = servedOutcome(socket, reading);
      settle(served);
      resolve({ outcome: served, socket });
    });
    socket.on("error", (error) => settle(failure(error, connected)));
    socket.once("close", onClose);
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
