import { wildcardOf, type HostName, type IpAddress } from "../base/index.ts";
import type { BindingTable, Row } from "./types.ts";

/** The rows of one port, each kind found in constant time. */
export interface PortRows {
  readonly central: Row | undefined;
  readonly any4: Row | undefined;
  readonly any6: Row | undefined;
  /** Whether rows of these kinds exist at all: tells a missing server name from a missing row. */
  readonly hasHostRows: boolean;
  ip(address: IpAddress): Row | undefined;
  /** The row of the exact name, else of the wildcard that stands for its left-most label. */
  host(host: HostName): Row | undefined;
}

/** Finds a table's rows by port. */
export interface TableIndex {
  port(port: number): PortRows | undefined;
}

/** Keyed by the table object: tables are immutable, so an index never goes stale, and it goes when its table goes. */
const indexes = new WeakMap<BindingTable, TableIndex>();

/** The lookup structure of a table; built on first use, then the same object every time. */
export function indexTable(table: BindingTable): TableIndex {
  const known = indexes.get(table);
  if (known !== undefined) return known;
  const ports = new Map<number, PortIndex>();
  for (const row of table.rows) {
    let rows = ports.get(row.key.port);
    if (rows === undefined) ports.set(row.key.port, (rows = new PortIndex()));
    rows.add(row);
  }
  const index: TableIndex = { port: (port) => ports.get(port) };
  indexes.set(table, index);
  return index;
}

class PortIndex implements PortRows {
  central: Row | undefined;
  any4: Row | undefined;
  any6: Row | undefined;
  readonly #ip = new Map<string, Row>();
  readonly #host = new Map<string, Row>();
  /** Most names have no wildcard row to look for: saves making the wildcard's text. */
  #wildcards = false;

  get hasHostRows(): boolean {
    return this.#host.size > 0;
  }

  ip(address: IpAddress): Row | undefined {
    return this.#ip.get(address);
  }

  host(host: HostName): Row | undefined {
    const exact = this.#host.get(host);
    return exact !== undefined || !this.#wildcards ? exact : this.#host.get(wildcardOf(host) ?? "");
  }

  add(row: Row): void {
    const { key } = row;
    if (key.kind === "ip") this.#ip.set(key.address, row);
    else if (key.kind === "central") this.central = row;
    else if (key.kind === "host") {
      this.#host.set(key.host, row);
      if (key.host.startsWith("*.")) this.#wildcards = true;
    } else if (key.family === 6) this.any6 = row;
    else this.any4 = row;
  }
}
