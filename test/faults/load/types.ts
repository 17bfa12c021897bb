/** `tls13`, `tls12`: a connection for each request; `keep-alive`: many on one; `curl`: a process for each. */
export type ClientKind = "tls13" | "tls12" | "keep-alive" | "curl";

/** What the clients do. */
export interface LoadPlan {
  readonly balancers: readonly { readonly name: string; readonly address: string }[];
  readonly port: number;
  readonly balancerHealthPort: number;
  /** How often the balancers' `/readyz` is asked. */
  readonly askEveryMs: number;
  readonly hosts: readonly string[];
  readonly caFile: string;
  /** Text that every page has. */
  readonly marker: string;
  readonly clients: readonly ClientKind[];
  readonly thinkMs: number;
  readonly timeoutMs: number;
  /** Requests on one kept connection. */
  readonly usesOfKept: number;
  /** How long a client prefers the other balancer after a failure. */
  readonly stayAwayMs: number;
}

/** One request. Times are milliseconds of the machine's monotonic clock. */
export interface RequestRecord {
  /** Start and end. */
  readonly s: number;
  readonly e: number;
  /** Balancer and host name. */
  readonly b: string;
  readonly h: string;
  readonly k: ClientKind;
  /** Which client, from 0 on. */
  readonly c: number;
  /** SHA-256 fingerprint of the certificate that was verified. */
  readonly f?: string;
  /** The node that answered. */
  readonly n?: string;
  /** Why it failed. */
  readonly x?: string;
  /** How many requests its connection had, with this one. */
  readonly u?: number;
}
