import type { Endpoint, HostName, Instant } from "../base/index.ts";

/** How a handshake from outside ended. */
export type ProbeOutcome =
  | {
      readonly kind: "served";
      readonly thumbprint: string;
      readonly sha256: string;
      readonly subject: string;
      readonly issuer: string;
      readonly dnsNames: readonly string[];
      readonly notBefore: Instant;
      readonly notAfter: Instant;
      readonly chainLength: number;
      readonly protocol: string;
      readonly cipher: string;
      readonly alpn?: string;
      readonly resumed: boolean;
      /** The chain verified against the given roots and the name; else the reason code of OpenSSL or `ERR_TLS_CERT_ALTNAME_INVALID`. */
      readonly verified: true | string;
    }
  | { readonly kind: "refused" }
  | { readonly kind: "timeout"; readonly during: "connect" | "handshake" }
  | { readonly kind: "reset" }
  /** Closed in order, without an alert. */
  | { readonly kind: "closed" }
  | { readonly kind: "alert"; readonly alert: string }
  | { readonly kind: "error"; readonly code: string; readonly message: string };

/** One handshake from outside, and what it saw. */
export interface Observation {
  readonly target: Endpoint;
  /** undefined = no SNI was sent. */
  readonly host?: HostName;
  readonly at: Instant;
  readonly tookMs: number;
  readonly outcome: ProbeOutcome;
}
