export type { Binding, BindingTable, Row, RowKey, RowOrigin } from "./types.ts";
