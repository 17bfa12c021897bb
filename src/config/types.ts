import type { Endpoint, HostName, HostPattern, IpAddress } from "../base/index.ts";
import type { Binding } from "../bindings/index.ts";

/** farm.yaml after parsing: everything filled in, nothing left to default. */
export interface FarmConfig {
  readonly farm: string;
  readonly nodes: readonly NodeConfig[];
  readonly balancer?: BalancerConfig;
  readonly sites: readonly SiteConfig[];
  /** TLS policy of everything that has none of its own. */
  readonly tls: TlsPolicy;
  readonly limits: Limits;
}

/** One server that ends TLS. */
export interface NodeConfig {
  readonly name: string;
  /** Addresses it listens on; `0.0.0.0` and `::` allowed. */
  readonly addresses: readonly IpAddress[];
  /** Binding port → port it really listens on; ports that are not named are used as they are. */
  readonly ports: ReadonlyMap<number, number>;
  /** Where `/readyz` answers. */
  readonly health: Endpoint;
  /** `mend`: drift of the binding table is undone; `observe`: it is only reported. */
  readonly reconcile: "mend" | "observe";
  /** Share of the balancer's connections. */
  readonly weight: number;
}

/** How the balancer spreads connections. */
export type BalanceMode = "five-tuple" | "source" | "round-robin" | "least-connections";

/** The layer-4 front. */
export interface BalancerConfig {
  readonly addresses: readonly IpAddress[];
  /** Binding port → port the balancer listens on, for every port that sites bind. */
  readonly ports: ReadonlyMap<number, number>;
  readonly mode: BalanceMode;
  /** Send PROXY protocol v2 to the nodes. */
  readonly proxyProtocol: boolean;
  /** Addresses that nodes accept PROXY headers from; IP or CIDR text. */
  readonly trustedBy: readonly string[];
  readonly connectTimeoutMs: number;
  readonly idleTimeoutMs: number;
  /** How long a drained node may keep its connections. */
  readonly drainTimeoutMs: number;
  /** Where the balancer's own state and health answer. */
  readonly health: Endpoint;
}

/** TLS versions certfarm speaks. */
export type TlsVersion = "1.2" | "1.3";

/** What a site asks of TLS. */
export interface TlsPolicy {
  readonly minVersion: TlsVersion;
  readonly maxVersion: TlsVersion;
  /** Protocols in order of preference. */
  readonly alpn: readonly ("h2" | "http/1.1")[];
  readonly clientCertificates: "none" | "request" | "require";
  /** File name below the store's `certificates/authorities/`; present when clientCertificates is not `none`. */
  readonly clientCaFile?: string;
}

/** A web site. */
export interface SiteConfig {
  readonly name: string;
  readonly bindings: readonly Binding[];
  readonly tls?: TlsPolicy;
  readonly serve: SiteService;
  /** Strict-Transport-Security on https answers; undefined = not sent. */
  readonly hsts?: { readonly maxAgeS: number; readonly includeSubDomains: boolean; readonly preload: boolean };
  /** Plain http requests are redirected to https (permanent) when true. */
  readonly redirectToHttps: boolean;
}

/** What a site does with a request. */
export type SiteService =
  /** Files of the store's `content/<folder>/`. */
  | { readonly kind: "content"; readonly folder: string; readonly index: readonly string[] }
  | { readonly kind: "proxy"; readonly upstreams: readonly URL[]; readonly timeoutMs: number; readonly preserveHost: boolean }
  | { readonly kind: "redirect"; readonly to: string; readonly status: 301 | 302 | 303 | 307 | 308; readonly keepPath: boolean };

/** Bounds that protect a node. */
export interface Limits {
  readonly handshakeTimeoutMs: number;
  readonly headersTimeoutMs: number;
  readonly requestTimeoutMs: number;
  readonly idleTimeoutMs: number;
  readonly maxHeaderBytes: number;
  readonly maxBodyBytes: number;
  readonly maxConnections: number;
  /** Live TLS contexts a node keeps. */
  readonly maxLiveNames: number;
  /** Response header that names the node; undefined = off. */
  readonly nodeHeader?: string;
  readonly accessLog: "w3c" | "json" | "off";
}

/** One thing that is wrong with farm.yaml. Line and column count from 1. */
export interface ConfigProblem {
  readonly line: number;
  readonly column: number;
  /** `sites[2].bindings[0]`. */
  readonly path: string;
  readonly message: string;
  /** What was probably meant. */
  readonly suggestion?: string;
  readonly severity: "error" | "warning";
}

/** The outcome of parsing: a configuration and warnings, or all errors at once. */
export type ConfigReading =
  | { readonly kind: "valid"; readonly config: FarmConfig; readonly warnings: readonly ConfigProblem[] }
  | { readonly kind: "invalid"; readonly problems: readonly ConfigProblem[] };

/** Which site takes a host on a port; built once a revision, asked on every request. */
export interface SiteIndex {
  /** The site whose binding fits best: exact host, then wildcard, then any host. */
  find(protocol: "http" | "https", port: number, host: HostName | undefined): SiteConfig | undefined;
  /** Every host name and pattern that https bindings name, with its port. */
  readonly httpsHosts: readonly { readonly host: HostPattern; readonly port: number; readonly site: string }[];
}
