/** Parses a file of passwords in a thread of its own: see openPasswords. */
import { tableToWire, type WireTable } from "./password-lookup.ts";
import { parsePasswordFile } from "./password-table.ts";

/** A file's text and path in, its passwords out. */
export function work(input: unknown): WireTable {
  const { text, path } = input as { readonly text: string; readonly path: string }; // what openPasswords sends
  return tableToWire(parsePasswordFile(text, path));
}
