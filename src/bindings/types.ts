import type { HostPattern, IpAddress } from "../base/index.ts";

/** What identifies a row, in the order in which a handshake looks (docs/bindings.md). */
export type RowKey =
  | { readonly kind: "ip"; readonly address: IpAddress; readonly port: number }
  | { readonly kind: "host"; readonly host: HostPattern; readonly port: number }
  | { readonly kind: "central"; readonly port: number }
  | { readonly kind: "any"; readonly family: 4 | 6; readonly port: number };

/** Who put a row into the table. */
export type RowOrigin = "configuration" | "operator";

/** A row: a key and the certificate it names. `file` is a name in the central certificates; absent on central rows only. */
export interface Row {
  readonly key: RowKey;
  readonly file?: string;
  readonly origin: RowOrigin;
  /** The application that owns the row, as HTTP.sys records it; certfarm's own rows carry CERTFARM_APP_ID. */
  readonly appId: string;
}

/** A node's binding table, in canonical order (compareRows). */
export interface BindingTable {
  readonly rows: readonly Row[];
}

/** What a site asks for. */
export interface Binding {
  readonly protocol: "http" | "https";
  /** `*` = every address of the node. */
  readonly address: IpAddress | "*";
  readonly port: number;
  /** undefined = any host name. */
  readonly host?: HostPattern;
  /** https only: the client must send SNI. */
  readonly sni: boolean;
  /** https only: chosen by host name from the central certificates, or one named file of them. */
  readonly certificate: "central" | { readonly file: string };
}

/** What can be contradictory in the bindings of a configuration. Codes are public API. */
export type BindingConflictCode =
  /** Bindings ask for different certificates under one key. */
  | "two-files"
  /** A certificate for one address answers there for every name. */
  | "ip-row-shadows"
  /** A certificate by name takes the name away from the central certificates. */
  | "host-row-shadows"
  /** A default certificate answers for names without a file, which would otherwise be refused. */
  | "any-row-catches-misses"
  /** Clients without SNI are welcome, but have nothing by which a central certificate could be chosen. */
  | "central-without-sni"
  /** A named certificate by SNI needs a name. */
  | "sni-without-host"
  /** http and https on one address and port. */
  | "http-on-tls-port";

/** Something contradictory, as data. */
export interface BindingConflict {
  readonly severity: "error" | "warning";
  readonly code: BindingConflictCode;
  /** The rows concerned. */
  readonly rows: readonly RowKey[];
  /** The bindings concerned: at most 10 of them, `message` says how many there are. */
  readonly bindings: readonly Binding[];
  /** Sentences for an operator: what happens, and what to do. */
  readonly message: string;
}

/** One difference between the table that a node should have and the one it has. */
export type Drift = {
  readonly key: RowKey;
  /** What the reconciler does about it in mend mode; `keep` is reported only. */
  readonly mend: "add" | "replace" | "remove" | "keep";
  /** Desired rows that an operator's extra row keeps handshakes from; empty for all others, which are mended in any case. */
  readonly shadows: readonly RowKey[];
} & (
  | { readonly kind: "missing"; readonly desired: Row; readonly actual?: never }
  | { readonly kind: "extra"; readonly actual: Row; readonly desired?: never }
  | { readonly kind: "different"; readonly desired: Row; readonly actual: Row }
);
