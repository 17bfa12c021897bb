import type { Endpoint, HostName, Instant } from "../base/index.ts";

/** A certificate as a server sent it. The same object stands for every sight of the same certificate. */
export interface SeenCertificate {
  /** SHA-256 over the DER, 64 upper-case hexadecimal digits. */
  readonly sha256: string;
  /** SHA-1 over the DER, 40 upper-case hexadecimal digits: what Windows shows. */
  readonly thumbprint: string;
  readonly subject: string;
  readonly issuer: string;
  /** Hexadecimal, upper case. */
  readonly serial: string;
  readonly dnsNames: readonly string[];
  readonly notBefore: Instant;
  readonly notAfter: Instant;
  /** `RSA 2048`, `P-256`, `Ed25519`; as far as it can be told. */
  readonly keyName: string;
  /** `sha256WithRSAEncryption`; absent when it cannot be told. */
  readonly signatureAlgorithm?: string;
  readonly isCa: boolean;
  readonly selfSigned: boolean;
}

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
      /** Leaf first, as sent; absent when the chain was not asked for. */
      readonly chain?: readonly SeenCertificate[];
      readonly protocol: string;
      readonly cipher: string;
      readonly alpn?: string;
      readonly resumed: boolean;
      /** Whether an OCSP response was stapled; absent when none was asked for. */
      readonly stapled?: boolean;
      /** The chain verified against the given roots and the name; else the reason code of OpenSSL or `ERR_TLS_CERT_ALTNAME_INVALID`. */
      readonly verified: true | string;
    }
  | { readonly kind: "refused" }
  | { readonly kind: "timeout"; readonly during: "connect" | "handshake" }
  /** Reset after the ClientHello, without an alert. */
  | { readonly kind: "reset" }
  /** Closed in order, without an alert. */
  | { readonly kind: "closed" }
  | { readonly kind: "alert"; readonly alert: string }
  /** `speaks`: what the first octets of an answer that is not TLS look like. */
  | { readonly kind: "error"; readonly code: string; readonly message: string; readonly speaks?: "http" | "other" };

/** One handshake from outside, and what it saw. */
export interface Observation {
  readonly target: Endpoint;
  /** undefined = no SNI was sent. */
  readonly host?: HostName;
  readonly at: Instant;
  readonly tookMs: number;
  readonly outcome: ProbeOutcome;
  /** How many handshakes it took, when earlier ones timed out: one flake is no fault. Absent = one. */
  readonly attempts?: number;
  /** The version of the PROXY protocol header that went before the ClientHello. */
  readonly proxyHeader?: 1 | 2;
}

/** What one request over HTTPS got. Everything in it comes from the peer: bounded, not yet safe to print. */
export interface RequestObservation {
  readonly at: Instant;
  readonly tookMs: number;
  readonly status?: number;
  /** Lower-case names; at most 50 headers of 500 characters. */
  readonly headers: Readonly<Record<string, string>>;
  /**
   * How far the peer's clock is ahead of ours, in milliseconds: the middle of the second that its Date header names, minus our clock at
   * half time. True within half a second and half of `tookMs`; absent for an answer out of a cache (Age).
   */
  readonly clockOffsetMs?: number;
  /** Why there is no status. */
  readonly problem?: string;
}
