import { X509Certificate } from "node:crypto";
import type { ConnectionOptions, SecureContextOptions, TLSSocket, TlsOptions } from "node:tls";

import type { Clock } from "../base/index.ts";
import { trustOf, type Signing } from "./signing.ts";
import type { Identity, IdentityRefusal, IdentityRole, VerifiedIdentity } from "./types.ts";
import { isIssuedBy, splitAuthorities, verifyIdentity } from "./verify-identity.ts";

const MAX_HANDSHAKE_MS = 10_000;

/**
 * What a TLS context of the farm is made of: this identity, the authorities that it trusts, TLS 1.3 and nothing older. The authority goes along
 * with the leaf, so that a machine that joins can compare it with its token.
 */
export function tlsOptions({ certificatePem, key, authorityPem }: Identity): SecureContextOptions {
  const leaf = new X509Certificate(certificatePem);
  const issuer = splitAuthorities(authorityPem).find((authority) => isIssuedBy(leaf, authority));
  return {
    cert: `${certificatePem.trimEnd()}\n${issuer?.toString() ?? ""}`,
    key: key.export({ type: "pkcs8", format: "pem" }),
    ca: authorityPem,
    minVersion: "TLSv1.3",
    maxVersion: "TLSv1.3",
  };
}

/**
 * For `https.createServer`: asks every client for a certificate and lets in those without one. Whoever serves a request asks `peerOf` who it
 * is, each time: revocations hold for connections that are open too. After a renewal: `server.setSecureContext(serverTls(identity))`.
 */
export const serverTls = (identity: Identity): TlsOptions => ({
  ...tlsOptions(identity),
  requestCert: true,
  rejectUnauthorized: false,
  handshakeTimeout: MAX_HANDSHAKE_MS,
});

/** Who is at the other end of a connection; undefined = it showed no certificate. */
export function peerOf(socket: TLSSocket, { signing, clock }: TlsParts): VerifiedIdentity | IdentityRefusal | undefined {
  const certificate = socket.getPeerX509Certificate();
  return certificate === undefined ? undefined : verifyIdentity(certificate.toString(), { ...trustOf(signing), now: clock.now() });
}

/** Who a process is and whom it believes. */
export interface TlsParts {
  readonly signing: Signing;
  readonly clock: Clock;
}

/**
 * For `tls.connect` and `https.request` (with `agent: false`): shows the present identity and ends the handshake unless the server is of this
 * role, and of this name when one is given. A refusal comes as an `Error` that names it.
 */
export function clientTls(
  { signing, clock }: TlsParts,
  expected: { readonly role: IdentityRole; readonly name?: string },
): ConnectionOptions {
  return {
    ...tlsOptions(signing.identity()),
    servername: "", // an address is dialled; names in certificates are names of processes
    rejectUnauthorized: true,
    checkServerIdentity: (_host, { raw }) => {
      const verdict = verifyIdentity(new X509Certificate(raw).toString(), { ...trustOf(signing), now: clock.now() });
      if ("reason" in verdict) return new Error(verdict.problem);
      const isExpected = verdict.role === expected.role && (expected.name === undefined || verdict.name === expected.name);
      return isExpected
        ? undefined
        : new Error(`${verdict.role} ${verdict.name} answered instead of ${expected.role} ${expected.name ?? ""}`.trimEnd());
    },
  };
}
