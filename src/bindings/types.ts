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
