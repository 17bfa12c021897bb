import { FarmError } from "../base/index.ts";
import { rowKeyText } from "./row-key.ts";
import { validateRow } from "./row.ts";
import type { BindingTable, Row, RowKey } from "./types.ts";

/**
 * Canonical order, which is the order in which a handshake looks: by port; then ip, exact host, wildcard host, central, [::], 0.0.0.0;
 * then by the key's text. Zero only for equal keys.
 */
export function compareRows(a: Row, b: Row): number {
  if (a.key.port !== b.key.port) return a.key.port - b.key.port;
  const rank = rankOf(a.key) - rankOf(b.key);
  if (rank !== 0) return rank;
  const [left, right] = [rowKeyText(a.key), rowKeyText(b.key)];
  return left < right ? -1 : left > right ? 1 : 0; // by code unit: the same on every machine
}

function rankOf(key: RowKey): number {
  switch (key.kind) {
    case "ip":
      return 0;
    case "host":
      return key.host.startsWith("*.") ? 2 : 1;
    case "central":
      return 3;
    case "any":
      return key.family === 6 ? 4 : 5;
  }
}

/** A table of these rows. @throws BINDING_ROW_INVALID; BINDING_ROW_EXISTS for two rows of one key */
export function createTable(rows: readonly Row[]): BindingTable {
  const sorted = rows.map(validateRow).sort(compareRows);
  for (const [at, row] of sorted.entries()) {
    const next = sorted[at + 1];
    if (next !== undefined && compareRows(row, next) === 0) throw exists(next, row);
  }
  return { rows: sorted };
}

/** The row of a key, or undefined. Looks through the whole table; handshakes use indexTable. */
export function findRow(table: BindingTable, key: RowKey): Row | undefined {
  const text = rowKeyText(key);
  return table.rows.find((row) => row.key.kind === key.kind && rowKeyText(row.key) === text);
}

/** The table with one row more. @throws BINDING_ROW_INVALID, BINDING_ROW_EXISTS */
export function addRow(table: BindingTable, row: Row): BindingTable {
  const present = findRow(table, validateRow(row).key);
  if (present !== undefined) throw exists(row, present);
  return { rows: [...table.rows, row].sort(compareRows) };
}

/** The table without the row of this key. @throws BINDING_ROW_ABSENT */
export function deleteRow(table: BindingTable, key: RowKey): BindingTable {
  const present = findRow(table, key);
  if (present === undefined) {
    throw new FarmError("BINDING_ROW_ABSENT", `There is no row ${rowKeyText(key)}`, { facts: { row: rowKeyText(key) } });
  }
  return { rows: table.rows.filter((row) => row !== present) };
}

function exists(row: Row, present: Row): FarmError {
  const text = rowKeyText(row.key);
  const names = present.file === undefined ? "" : `, which names ${present.file}`;
  return new FarmError("BINDING_ROW_EXISTS", `There is a row ${text} already${names}`, { facts: { row: text, file: present.file } });
}
