/** The binding table of a node: rows, their precedence, the table a configuration asks for, and how the two differ. */
export { applicationName } from "./application-id.ts";
export { desiredTable, type DesiredTable } from "./desired-table.ts";
export { diffTables, driftText, mendTable } from "./drift.ts";
export { formatTable, type TableFormat } from "./format-table.ts";
export { parseRowKey, rowKeyText } from "./row-key.ts";
export { createRow, validateRow } from "./row.ts";
export { indexTable, type PortRows, type TableIndex } from "./table-index.ts";
export { addRow, createTable, deleteRow, findRow } from "./table.ts";
export type { Binding, BindingConflict, BindingConflictCode, BindingTable, Drift, Row, RowKey, RowOrigin } from "./types.ts";
