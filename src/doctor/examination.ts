import type { Endpoint, HostName, Instant, IpAddress } from "../base/index.ts";
import type { CentralFile, Gap, NodeEvidence, Source } from "./evidence.ts";
import type { Observation, RequestObservation } from "./observation.ts";

/** Everything that was looked at: rules are pure functions of it. */
export interface Examination {
  readonly at: Instant;
  readonly hosts: readonly ExaminedHost[];
  readonly nodes: readonly ExaminedNode[];
  /** At most one for each node, endpoint and host. */
  readonly cells: readonly Cell[];
  /** The central certificates as the doctor itself read them: the farm's store, or a folder that was named. */
  readonly central?: { readonly source: Source; readonly files: readonly CentralFile[] };
  /** What certificates were verified against. */
  readonly roots: "system" | "given";
  readonly gaps: readonly Gap[];
}

/** A host name that was asked for. */
export interface ExaminedHost {
  readonly name: HostName;
  /** What the doctor's own resolver says; absent = not asked. */
  readonly resolved?: { readonly addresses: readonly IpAddress[]; readonly cname?: string; readonly problem?: string };
  /** Nodes that are meant to serve it; absent = all of them. */
  readonly nodes?: readonly string[];
}

/** A server that was looked at. */
export interface ExaminedNode {
  /** Its name in the farm or in evidence, else its address. */
  readonly name: string;
  /** `balancer`: what clients dial (`--via`); it stands beside the nodes. */
  readonly role: "node" | "balancer";
  /** TLS endpoints that were dialled, by the port that clients use. */
  readonly endpoints: readonly Endpoint[];
  readonly evidence?: NodeEvidence;
}

/** What is sent in a probe. The base of a cell is `sni`; the others are the deeper set. */
export type ProbeKind =
  /** TLS with SNI, ALPN h2 and http/1.1, every version and key type. */
  | "sni"
  | "no-sni"
  /** SNI of a name that nobody serves. */
  | "unknown-name"
  | "tls12"
  | "tls13"
  /** A client that takes RSA certificates only, or ECDSA ones only. */
  | "rsa"
  | "ecdsa"
  /** ALPN http/1.1 alone, h2 alone. */
  | "http11"
  | "h2"
  /** SNI with a dot at the end, which RFC 6066 forbids. */
  | "trailing-dot"
  /** A PROXY protocol header before the ClientHello. */
  | "proxy-header"
  /** The session of this cell again, and that of another node. */
  | "own-session"
  | "other-session";

/** One host on one endpoint of one node. */
export interface Cell {
  readonly node: string;
  readonly endpoint: Endpoint;
  readonly host: HostName;
  readonly probes: Readonly<Partial<Record<ProbeKind, Observation>>>;
  /** More handshakes with SNI from other source ports: how often each node behind a balancer answers. */
  readonly samples?: readonly Observation[];
  /** The node whose session `other-session` offered. */
  readonly sessionFrom?: string;
  readonly request?: RequestObservation;
}
