import type { X509Certificate } from "node:crypto";
import type { TLSSocket } from "node:tls";

import type { HostName } from "../base/index.ts";
import type { ProbeOutcome, SeenCertificate } from "../doctor/index.ts";
import type { SeenCertificates } from "./seen-certificates.ts";
import { certificateOfSession } from "./session-certificate.ts";

/** More certificates than any real chain; a peer cannot make the walk long. */
const MAX_CHAIN = 16;

/** How an established connection is read. */
export interface Reading {
  /** The name that the certificate is checked for; absent = no name check. */
  readonly host?: HostName;
  /** Whether chain and verdict are read. */
  readonly verify: boolean;
  /** Whether the certificates sent are counted, also without `verify`. */
  readonly countChain?: boolean;
  readonly certificates: SeenCertificates;
  /** Whether a stapled OCSP response came; absent = none was asked for. */
  readonly stapled?: boolean;
}

/**
 * What an established connection shows of the other side. Reads the chain and the name only when `verify` is set.
 * A resumed connection shows the leaf and the verdict of the first handshake, and no chain.
 */
export function servedOutcome(socket: TLSSocket, reading: Reading): ProbeOutcome {
  const { host, verify, certificates, stapled, countChain = false } = reading;
  const leaf = leafOf(socket);
  if (leaf === undefined) return { kind: "error", code: "ERR_TLS_NO_CERTIFICATE", message: "The server showed no certificate" };
  const seen = certificates.see(leaf.raw);
  const alpn = socket.alpnProtocol;
  const chain = verify ? chainOf(leaf, seen, certificates) : [];
  return {
    kind: "served",
    thumbprint: seen.thumbprint,
    sha256: seen.sha256,
    subject: seen.subject,
    issuer: seen.issuer,
    dnsNames: seen.dnsNames,
    notBefore: seen.notBefore,
    notAfter: seen.notAfter,
    chainLength: verify || !countChain ? chain.length : lengthOf(leaf),
    ...(verify && !socket.isSessionReused() ? { chain } : {}),
    protocol: socket.getProtocol() ?? "unknown",
    cipher: socket.getCipher().standardName,
    ...(typeof alpn === "string" ? { alpn } : {}),
    resumed: socket.isSessionReused(),
    ...(stapled === undefined ? {} : { stapled }),
    verified: verify ? verification(socket, leaf, host) : "NOT_CHECKED",
  };
}

function leafOf(socket: TLSSocket): X509Certificate | undefined {
  const shown = socket.getPeerX509Certificate();
  if (shown !== undefined) return shown;
  const session = socket.getSession();
  return session === undefined ? undefined : certificateOfSession(session);
}

function verification(socket: TLSSocket, leaf: X509Certificate, host: HostName | undefined): true | string {
  // Node sets a code (a string) here although its type says Error.
  const failure: unknown = socket.authorizationError;
  if (failure instanceof Error) return failure.message;
  if (typeof failure === "string" && failure !== "") return failure;
  if (host === undefined || leaf.checkHost(host, { partialWildcards: false }) !== undefined) return true;
  return "ERR_TLS_CERT_ALTNAME_INVALID";
}

/** How many certificates the server sent, up to MAX_CHAIN. */
function lengthOf(leaf: X509Certificate): number {
  let length = 1;
  for (let next = leaf.issuerCertificate; next !== undefined && length < MAX_CHAIN; next = next.issuerCertificate) length += 1;
  return length;
}

/** The certificates in the order in which the server sent them. */
function chainOf(leaf: X509Certificate, seen: SeenCertificate, certificates: SeenCertificates): readonly SeenCertificate[] {
  const chain = [seen];
  if (!certificates.roomy) return chain;
  // Node hangs each certificate of the message on the one before it, whether it is its issuer or not.
  for (let next = leaf.issuerCertificate; next !== undefined && chain.length < MAX_CHAIN; next = next.issuerCertificate)
    chain.push(certificates.see(next.raw));
  return chain;
}
