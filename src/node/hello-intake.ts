import type { Socket } from "node:net";

import { parseIpAddress, type Clock, type IpAddress } from "../base/index.ts";
import { readHello, parseProxyHeader, type ClientHello, type RefusalCode } from "../handshake/index.ts";

/** Where a connection comes from: the client, or the balancer's word for it. */
export interface ClientAddress {
  readonly address: string;
  readonly port: number;
}

/** What the first octets of a connection came to. `bytes` are all octets read from the ClientHello on. */
export type IntakeResult =
  | { readonly kind: "hello"; readonly hello: ClientHello; readonly bytes: Buffer; readonly client: ClientAddress }
  | { readonly kind: "refused"; readonly reason: RefusalCode; readonly detail: string; readonly client: ClientAddress };

/** Reads ClientHellos from sockets. */
export interface HelloIntake {
  /**
   * Calls `done` once, with the socket paused. A connection that closes without one octet of its own is a balancer's TCP check: `done`
   * is not called, it is nobody's refusal.
   */
  take(socket: Socket, done: (result: IntakeResult) => void): void;
  /** Connections that have not sent a whole ClientHello yet. */
  readonly waiting: number;
  close(): void;
}

const SWEEP_MS = 500;

interface Waiting {
  readonly deadlineMs: number;
  readonly expire: () => void;
}

/**
 * An intake with one coarse timer for all connections: a timer each would cost more than the reading itself.
 * @param settings.timeoutMs how long a client may take for its ClientHello
 * @param settings.trustsProxyHeader whether a peer may say who its client is (PROXY protocol)
 */
export function createHelloIntake(
  clock: Clock,
  settings: { readonly timeoutMs: () => number; readonly trustsProxyHeader: (peer: string) => boolean },
): HelloIntake {
  const waiting = new Map<Socket, Waiting>();
  const timer = setInterval(() => {
    const now = clock.monotonicMs();
    for (const entry of waiting.values()) if (entry.deadlineMs <= now) entry.expire();
  }, SWEEP_MS);
  timer.unref();

  return {
    take(socket, done) {
      const peer: ClientAddress = { address: peerAddress(socket), port: socket.remotePort ?? 0 };
      const reader = createReader(peer, settings.trustsProxyHeader);
      const finish = (result: IntakeResult): void => {
        socket.off("data", onData).off("end", onEnd).off("close", onClose);
        socket.pause();
        waiting.delete(socket);
        done(result);
      };
      const onData = (chunk: Buffer): void => {
        const result = reader.push(chunk);
        if (result !== undefined) finish(result);
      };
      const onClose = (): void => {
        if (reader.octets > 0) return finish(reader.refusal("hello-closed", `closed after ${reader.octets} octets`));
        waiting.delete(socket);
      };
      // Who has closed his half says no more: waiting for the rest would only hold the connection.
      const onEnd = (): void => {
        onClose();
        socket.destroy();
      };
      waiting.set(socket, {
        deadlineMs: clock.monotonicMs() + settings.timeoutMs(),
        expire: () =>
          finish(reader.refusal("hello-timeout", `no whole ClientHello in ${settings.timeoutMs()} ms (${reader.octets} octets came)`)),
      });
      socket.on("data", onData).on("end", onEnd).on("close", onClose);
    },
    get waiting() {
      return waiting.size;
    },
    close() {
      clearInterval(timer);
    },
  };
}

/** The peer's address in canonical form (IPv4-mapped IPv6 as IPv4). */
export const peerAddress = (socket: Socket): string => canonical(socket.remoteAddress ?? "");

/** The local address in canonical form; `0.0.0.0` once the socket is gone. */
export const localAddress = (socket: Socket): IpAddress => canonical(socket.localAddress ?? "0.0.0.0") as IpAddress; // the kernel's addresses are valid

const canonical = (text: string): string => (text.startsWith("::ffff:") ? (parseIpAddress(text) ?? text) : text);

interface Reader {
  push(chunk: Buffer): IntakeResult | undefined;
  refusal(reason: RefusalCode, detail: string): IntakeResult;
  readonly octets: number;
}

function createReader(peer: ClientAddress, trusts: (peer: string) => boolean): Reader {
  let bytes: Buffer | undefined;
  let client = peer;
  let proxyRead = false;
  /** Octets without which reading again is of no use: a client that trickles must not cost a parse an octet. */
  let atLeast = 1;

  const refusal = (reason: RefusalCode, detail: string): IntakeResult => ({ kind: "refused", reason, detail, client });

  /** Takes a PROXY header off the front; false = look no further yet. */
  const takeProxyHeader = (): IntakeResult | boolean => {
    if (proxyRead || bytes === undefined || (bytes[0] !== 0x0d && bytes[0] !== 0x50)) return true;
    const header = parseProxyHeader(bytes);
    if (header.kind === "none") return true;
    if (!trusts(peer.address))
      return refusal("untrusted-proxy-header", `${peer.address} sent a PROXY header and is not in balancer.trustedBy`);
    if (header.kind === "incomplete") return false;
    if (header.kind === "malformed") return refusal("untrusted-proxy-header", `PROXY header: ${header.problem}`);
    if (header.source !== undefined) client = header.source;
    bytes = bytes.subarray(header.length);
    proxyRead = true;
    return true;
  };

  return {
    push(chunk) {
      bytes = bytes === undefined ? chunk : Buffer.concat([bytes, chunk]);
      const proxy = takeProxyHeader();
      if (typeof proxy === "object") return proxy;
      if (!proxy || bytes.length < atLeast) return undefined;
      const reading = readHello(bytes);
      switch (reading.kind) {
        case "hello":
          return { kind: "hello", hello: reading.hello, bytes, client };
        case "incomplete":
          atLeast = reading.atLeast;
          return undefined;
        case "not-tls":
          return reading.looksLike === "http" ? refusal("plaintext-http", "plain HTTP on a TLS port") : refusal("not-tls", "not TLS");
        case "malformed":
          return refusal("malformed-hello", reading.problem);
      }
    },
    refusal,
    get octets() {
      return bytes?.length ?? 0;
    },
  };
}
