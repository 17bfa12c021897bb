import { constants } from "node:crypto";
import tls, { type TLSSocket } from "node:tls";

import type { HostPattern } from "../base/index.ts";
import type { TlsPolicy } from "../config/index.ts";
import type { ChosenCertificate } from "../handshake/index.ts";
import type { PreparedCertificate } from "../pki/index.ts";

/** A TLS server for one name: its context is made once and serves until something it depends on changes. */
export interface LiveName {
  readonly server: tls.Server;
  /** Files, thumbprints and policy: equal fingerprints are the same service. */
  readonly fingerprint: string;
  /** Names that the offered certificates cover. */
  readonly certificateNames: readonly HostPattern[];
  /** Names what client certificates are checked by; absent = none are asked for. */
  readonly clientRule?: string;
}

/** What a TLS server for one name is made of. */
export interface LiveNameParts {
  readonly fingerprint: string;
  readonly certificates: readonly PreparedCertificate[];
  readonly certificateNames: readonly HostPattern[];
  readonly policy: TlsPolicy;
  readonly clientCaPem?: string;
  readonly clientRule?: string;
  readonly ticketKey?: Buffer;
  readonly handshakeTimeoutMs: number;
}

/**
 * Forward-secret AEAD suites only. CBC suites are left out (LUCKY13), so are RSA key exchange (ROBOT) and everything below them;
 * every client that speaks TLS 1.2 with SNI since 2015 has one of these.
 */
const CIPHERS = [
  "TLS_AES_128_GCM_SHA256",
  "TLS_AES_256_GCM_SHA384",
  "TLS_CHACHA20_POLY1305_SHA256",
  "ECDHE-ECDSA-AES128-GCM-SHA256",
  "ECDHE-RSA-AES128-GCM-SHA256",
  "ECDHE-ECDSA-AES256-GCM-SHA384",
  "ECDHE-RSA-AES256-GCM-SHA384",
  "ECDHE-ECDSA-CHACHA20-POLY1305",
  "ECDHE-RSA-CHACHA20-POLY1305",
].join(":");

/** Sessions live on every node for two hours; ticket keys are kept far longer. */
const SESSION_TIMEOUT_S = 7_200;

/**
 * Makes the TLS server of a name. Holds the event loop for the time OpenSSL takes to load the keys (0.5 to 1.5 ms): go through
 * the cold gate. One server a name, and not one server with SNICallback: it carries the name's own ticket keys, and a name that
 * has no certificate never gets this far (a failing SNICallback would close the connection without an alert).
 */
export function createLiveName(
  parts: LiveNameParts,
  on: { readonly secure: (socket: TLSSocket, live: LiveName) => void; readonly failed: (error: Error, socket: TLSSocket) => void },
): LiveName {
  const server = tls.createServer({
    cert: parts.certificates.map((certificate) => certificate.chainPem),
    key: parts.certificates.map((certificate) => certificate.keyPem.reveal()),
    minVersion: `TLSv${parts.policy.minVersion}`,
    maxVersion: `TLSv${parts.policy.maxVersion}`,
    ciphers: CIPHERS,
    honorCipherOrder: false,
    // No client needs it since HTTP/2 and TLS 1.3 forbade it, and each one makes the server sign anew at the client's will.
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
    ALPNProtocols: alpnView(parts.policy.alpn),
    // Processes only share sessions when they name the same context; Node's default is a hash of the command line.
    sessionIdContext: "certfarm",
    sessionTimeout: SESSION_TIMEOUT_S,
    handshakeTimeout: parts.handshakeTimeoutMs,
    ...(parts.ticketKey === undefined ? {} : { ticketKeys: parts.ticketKey }),
    ...clientCertificateOptions(parts),
  });
  // Node keeps the texts that it made the context of. It needs them no more, and 2,000 names have some 8 MB of them.
  Object.assign(server, { cert: undefined, key: undefined, ca: undefined });
  const { fingerprint, certificateNames, clientRule } = parts;
  const live = { server, fingerprint, certificateNames, ...(clientRule === undefined ? {} : { clientRule }) };
  // This function and not its caller makes the listener: one made where the certificates are in scope would keep them alive.
  server.on("secureConnection", (socket) => on.secure(socket, live));
  server.on("tlsClientError", on.failed);
  return live;
}

/**
 * The protocols as RFC 7301 section 3.1 lists them. A view of another kind than Buffer on purpose: Node copies texts and Buffers into a
 * slab of 8 KiB, which every name would then hold.
 */
function alpnView(protocols: readonly string[]): DataView {
  const list = Buffer.concat(protocols.flatMap((protocol) => [Buffer.of(protocol.length), Buffer.from(protocol, "latin1")]));
  return new DataView(new Uint8Array(list).buffer);
}

function clientCertificateOptions(parts: LiveNameParts): tls.TlsOptions {
  if (parts.policy.clientCertificates === "none") return {};
  return {
    requestCert: true,
    rejectUnauthorized: parts.policy.clientCertificates === "require",
    ...(parts.clientCaPem === undefined ? {} : { ca: parts.clientCaPem }),
  };
}

/** The fingerprint of a service. */
export function fingerprintOf(certificates: readonly ChosenCertificate[], policyDigest: string): string {
  return `${certificates.map((certificate) => `${certificate.file}=${certificate.thumbprint}`).join(",")};${policyDigest}`;
}
