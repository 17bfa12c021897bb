import type { HostName, HostPattern, Instant, IpAddress } from "../base/index.ts";
import type { BindingTable, RowKey } from "../bindings/index.ts";
import type { FileStatus, KeyType } from "../pki/index.ts";

/** The server_name of a ClientHello. `shown` is safe to print: escaped and cut. */
export type ServerName =
  | { readonly kind: "absent" }
  | { readonly kind: "name"; readonly host: HostName }
  | { readonly kind: "invalid"; readonly shown: string; readonly problem: string };

/** What certfarm reads of a ClientHello (RFC 8446 section 4.1.2). */
export interface ClientHello {
  readonly serverName: ServerName;
  /** Offered versions, e.g. 0x0304, as sent (legacy_version alone when supported_versions is absent). */
  readonly versions: readonly number[];
  readonly alpn: readonly string[];
  readonly cipherSuites: readonly number[];
  readonly signatureAlgorithms: readonly number[];
  /** The first 16 octets of the ticket that is offered (RFC 5077 ticket or first TLS 1.3 PSK identity): the ticket key's name. */
  readonly ticketKeyName?: Uint8Array;
  /** Octets of the handshake message. */
  readonly length: number;
}

/** What the first octets of a connection are. */
export type HelloReading =
  | { readonly kind: "hello"; readonly hello: ClientHello }
  /** Nothing can be said before the connection has sent this many octets in all: asking again earlier is in vain. */
  | { readonly kind: "incomplete"; readonly atLeast: number }
  | { readonly kind: "not-tls"; readonly looksLike: "http" | "other" }
  | { readonly kind: "malformed"; readonly problem: string };

/** What selection needs to know of a leaf certificate. */
export interface LeafFacts {
  readonly thumbprint: string;
  readonly keyType: KeyType;
  readonly dnsNames: readonly HostPattern[];
  readonly notBefore: Instant;
  readonly notAfter: Instant;
  /** Certificates that are sent, this one included; absent = not known. */
  readonly chainLength?: number;
}

/** A file of the central certificates as far as this node knows it. */
export type FileKnowledge =
  | { readonly file: string; readonly state: "unread" }
  | { readonly file: string; readonly state: "usable"; readonly leaf: LeafFacts }
  | { readonly file: string; readonly state: "unusable"; readonly status: FileStatus; readonly problem: string };

/** How a file came into question for a host: its exact name, the wildcard with the left-most label replaced, or a certificate's names. */
export type CandidateVia = "exact" | "wildcard" | "covering";

/** A synchronous view of the central certificates; reading files happens outside of decide. */
export interface CentralView {
  /** The files in question for a host, in any order. */
  candidates(host: HostName): readonly { readonly via: CandidateVia; readonly knowledge: FileKnowledge }[];
  /** A file by name; undefined when there is none. */
  file(name: string): FileKnowledge | undefined;
}

/** Everything a selection depends on. */
export interface SelectionInput {
  readonly table: BindingTable;
  readonly serverName: ServerName;
  /** The local address and the binding port of the connection. */
  readonly local: { readonly address: IpAddress; readonly port: number };
  readonly central: CentralView;
  readonly now: Instant;
}

/** Why a ClientHello got no certificate. Codes are public API. */
export type RefusalCode =
  | "no-row"
  | "no-certificate"
  | "no-server-name"
  | "invalid-server-name"
  | "certificate-unusable"
  | "malformed-hello"
  | "plaintext-http"
  | "not-tls"
  | "hello-timeout"
  | "hello-closed"
  | "untrusted-proxy-header"
  | "overloaded"
  | "handshake-failed"
  | "client-certificate-refused"
  | "store-unavailable";

/** TLS alerts that certfarm sends itself (RFC 8446 section 6). */
export type AlertName = "unrecognized_name" | "decode_error" | "internal_error" | "handshake_failure" | "unexpected_message";

/** One step of a selection: what was looked at, and what came of it. */
export interface TrailStep {
  /** e.g. `host row`, `central row`, `exact file`. */
  readonly look: string;
  readonly outcome: "chosen" | "matched" | "absent" | "passed-over" | "unusable" | "refused";
  /** One sentence with the names: files, rows, thumbprints. */
  readonly because: string;
}

/** A certificate that will be offered. */
export interface ChosenCertificate {
  readonly file: string;
  readonly thumbprint: string;
  readonly keyType: KeyType;
}

/** What selection came to. `need` asks for files to be read, after which the same question is put again. */
export type Decision =
  | {
      readonly kind: "serve";
      readonly row: RowKey;
      readonly certificates: readonly ChosenCertificate[];
      readonly trail: readonly TrailStep[];
    }
  | { readonly kind: "refuse"; readonly reason: RefusalCode; readonly alert: AlertName; readonly trail: readonly TrailStep[] }
  | { readonly kind: "need"; readonly files: readonly string[]; readonly trail: readonly TrailStep[] };
