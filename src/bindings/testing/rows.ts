import { parseHostPattern, parseIpAddress } from "../../base/index.ts";
import { parseRowKey } from "../row-key.ts";
import { createRow } from "../row.ts";
import { createTable } from "../table.ts";
import type { Binding, BindingTable, Row, RowOrigin } from "../types.ts";

/** `ip:10.0.0.4:443 shop.pfx`, with ` by operator` behind it for a row that was added by hand. */
export function row(text: string): Row {
  const [what = "", by] = text.split(" by ");
  const [key = "", file] = what.split(" ");
  const origin: RowOrigin = by === "operator" ? "operator" : "configuration";
  return createRow({ key: parseRowKey(key), origin, ...(file === undefined ? {} : { file }) });
}

/** A table of such rows. */
export const table = (...rows: readonly string[]): BindingTable => createTable(rows.map(row));

/**
 * `https://www.example.com:443 central`, `https://*:443 shop.pfx no-sni at 10.0.0.4`, `http://*:80`. `*` = any host; SNI is
 * required unless it says `no-sni`.
 */
export function binding(text: string): Binding {
  const match = /^(https?):\/\/(\S+):(\d+)(?: (?!no-sni|at )(\S+))?( no-sni)?(?: at (\S+))?$/.exec(text);
  if (match === null) throw new Error(`${text} is no binding`);
  const [, protocol, name = "", port, file = "central", noSni, at] = match;
  const host = name === "*" ? undefined : parseHostPattern(name);
  return {
    protocol: protocol === "http" ? "http" : "https",
    address: at === undefined ? "*" : (parseIpAddress(at) ?? "*"),
    port: Number(port),
    sni: noSni === undefined,
    certificate: file === "central" ? "central" : { file },
    ...(host === undefined ? {} : { host }),
  };
}
