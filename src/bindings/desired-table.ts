import { CERTFARM_APP_ID } from "./application-id.ts";
import { findConflicts } from "./conflicts.ts";
import { keysOf } from "./binding-keys.ts";
import { rowKeyText } from "./row-key.ts";
import { createRow } from "./row.ts";
import { createTable } from "./table.ts";
import type { Binding, BindingConflict, BindingTable, Row, RowKey } from "./types.ts";

/** What the bindings of a configuration come to. */
export interface DesiredTable {
  /** The rows that every node should have. */
  readonly table: BindingTable;
  /** What is contradictory in the bindings; the table is made all the same, the first binding of a key wins. */
  readonly conflicts: readonly BindingConflict[];
  /** The keys (rowKeyText) of every host name that an https binding names; diffTables knows by them whom a row would shadow. */
  readonly hostKeys: ReadonlySet<string>;
}

/**
 * The rows that bindings ask for: central → `central:port`; a named file with SNI → `host:port`; a named file without SNI →
 * `ip:port`, or both `any` rows for every address. http bindings need no row.
 * @throws BINDING_ROW_INVALID for a binding whose port or file is not one
 */
export function desiredTable(bindings: readonly Binding[]): DesiredTable {
  const rows = new Map<string, Row>();
  const hostKeys = new Set<string>();
  for (const binding of bindings) {
    if (binding.protocol !== "https") continue;
    if (binding.host !== undefined) hostKeys.add(rowKeyText({ kind: "host", host: binding.host, port: binding.port }));
    for (const key of keysOf(binding)) {
      const text = rowKeyText(key);
      if (!rows.has(text)) rows.set(text, rowOf(key, binding));
    }
  }
  return { table: createTable([...rows.values()]), conflicts: findConflicts(bindings), hostKeys };
}

function rowOf(key: RowKey, binding: Binding): Row {
  const settings = { key, origin: "configuration", appId: CERTFARM_APP_ID } as const;
  return createRow(binding.certificate === "central" ? settings : { ...settings, file: binding.certificate.file });
}
