import type { X509Certificate } from "node:crypto";
import type { TLSSocket } from "node:tls";

import { instant, parseHostPattern, type HostName } from "../base/index.ts";
import type { ProbeOutcome } from "../doctor/index.ts";
import { certificateOfSession } from "./session-certificate.ts";

/** More certificates than any real chain; a peer cannot make the walk long. */
const MAX_CHAIN = 16;

/**
 * What an established connection shows of the other side. Reads the chain and the name only when `verify` is set.
 * A resumed connection shows the leaf and the verdict of the first handshake, and no chain.
 */
export function servedOutcome(socket: TLSSocket, host: HostName | undefined, verify: boolean): ProbeOutcome {
  const leaf = leafOf(socket);
  if (leaf === undefined) return { kind: "error", code: "ERR_TLS_NO_CERTIFICATE", message: "The server showed no certificate" };
  const alpn = socket.alpnProtocol;
  return {
    kind: "served",
    thumbprint: leaf.fingerprint.replaceAll(":", ""),
    sha256: leaf.fingerprint256.replaceAll(":", ""),
    subject: distinguishedName(leaf.subject),
    issuer: distinguishedName(leaf.issuer),
    dnsNames: dnsNames(leaf),
    notBefore: instant(Date.parse(leaf.validFrom)),
    notAfter: instant(Date.parse(leaf.validTo)),
    chainLength: verify ? chainLength(leaf) : 0,
    protocol: socket.getProtocol() ?? "unknown",
    cipher: socket.getCipher().standardName,
    ...(typeof alpn === "string" ? { alpn } : {}),
    resumed: socket.isSessionReused(),
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

function chainLength(leaf: X509Certificate): number {
  let length = 1;
  for (let next = leaf.issuerCertificate; next !== undefined && length < MAX_CHAIN; next = next.issuerCertificate) length += 1;
  return length;
}

/** Node's one attribute a line, encoding order, as RFC 4514 text: last first, joined by commas. */
function distinguishedName(lines: string): string {
  return (lines ?? "")
    .split("\n")
    .reverse()
    .map((line) => line.replace(/(?<!\\)([,+"<>;])/g, "\\$1"))
    .join(",");
}

function dnsNames(leaf: X509Certificate): readonly string[] {
  if (leaf.subjectAltName === undefined) {
    const common = /^CN=(.+)$/m.exec(leaf.subject ?? "")?.[1];
    const name = common === undefined ? undefined : parseHostPattern(common);
    return name === undefined ? [] : [name];
  }
  const names: string[] = [];
  for (const entry of leaf.subjectAltName.split(", ")) {
    // A name with a comma in it is quoted by Node, so its parts never parse as host names.
    const name = entry.startsWith("DNS:") ? parseHostPattern(entry.slice(4)) : undefined;
    if (name !== undefined) names.push(name);
  }
  return names;
}
