import { checkServerIdentity, type ConnectionOptions, type PeerCertificate } from "node:tls";

import { FarmError, systemCode, type Secret } from "../base/index.ts";

/** What the admin API is trusted by, and what the caller shows of itself. */
export interface ClientIdentity {
  /** The farm's authority, PEM; absent = the authorities that the system trusts. */
  readonly authorityPem?: string;
  /** The caller's certificate and key, PEM. */
  readonly certificatePem?: string;
  readonly keyPem?: Secret;
}

const PROCESS_OF_A_FARM = /^URI:urn:certfarm:[0-9a-f]{16}:([a-z]+):/;

/** Options for `https.request`: nothing is sent before the server has proved to be the farm's admin API. */
export function clientOptions({ authorityPem, certificatePem, keyPem }: ClientIdentity): ConnectionOptions {
  return {
    rejectUnauthorized: true,
    minVersion: "TLSv1.2",
    checkServerIdentity: serverProblem,
    ...(authorityPem === undefined ? {} : { ca: authorityPem }),
    ...(certificatePem === undefined || keyPem === undefined ? {} : { cert: certificatePem, key: keyPem.reveal() }),
  };
}

/**
 * A process of the farm is known by its role: an admin's it must be, whatever its address is, since names in its certificate are names of
 * processes. Any other server, such as a proxy in front of it, must be certified for the host name that was called.
 */
export function serverProblem(host: string, certificate: PeerCertificate): Error | undefined {
  const role = PROCESS_OF_A_FARM.exec(certificate.subjectaltname ?? "")?.[1];
  if (role === undefined) return checkServerIdentity(host, certificate);
  return role === "admin" ? undefined : new Error(`a ${role} of the farm answered, not an admin API`);
}

const UNTRUSTED = [
  "SELF_SIGNED_CERT_IN_CHAIN",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "CERT_SIGNATURE_FAILURE",
];

/** What an error of a TLS connection means; undefined = it has nothing to do with TLS. */
export function tlsFailure(error: unknown, url: string, hasAuthority: boolean): FarmError | undefined {
  if (!(error instanceof Error)) return undefined;
  const code = systemCode(error) ?? "";
  const why = whyUntrusted(error, code, hasAuthority);
  return why === undefined
    ? undefined
    : new FarmError("ADMIN_SERVER_UNTRUSTED", `${url}: ${why}`, { facts: { url, reason: code }, cause: error });
}

function whyUntrusted({ message }: Error, code: string, hasAuthority: boolean): string | undefined {
  if (UNTRUSTED.includes(code)) {
    return hasAuthority
      ? "its certificate is not signed by the authority that was given: it is another farm's, or the authority has changed"
      : "its certificate is not signed by an authority that this machine trusts, and no authority of a farm was given";
  }
  if (code === "CERT_HAS_EXPIRED") return "its certificate has expired, by this machine's clock";
  if (code === "CERT_NOT_YET_VALID") return "its certificate is not valid yet, by this machine's clock";
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID") return `its certificate is for another host name: ${message}`;
  if (/wrong version number|packet length too long/.test(message)) return "what answers there speaks no TLS; is it http://?";
  if (/of the farm answered/.test(message)) return message;
  return /^(CERT_|ERR_SSL_|ERR_TLS_)|^EPROTO$/.test(code) ? `the TLS handshake failed: ${message}` : undefined;
}
