import { formatEndpoint } from "../base/index.ts";
import { applicationName } from "./application-id.ts";
import { rowKeyText } from "./row-key.ts";
import type { BindingTable, Row, RowKey } from "./types.ts";

/** How a table is written. */
export interface TableFormat {
  /** `table`: aligned columns for people; `netsh`: the text of `netsh http show sslcert`, so that scripts made for it go on working; `json`. */
  readonly format: "table" | "netsh" | "json";
  /** SHA-1 thumbprint of a file's leaf; undefined while it is not known. */
  readonly thumbprintOf: (file: string) => string | undefined;
}

/** A table as text that ends in a newline. The same table gives the same text. */
export function formatTable(table: BindingTable, options: TableFormat): string {
  switch (options.format) {
    case "table":
      return columns(table, options);
    case "netsh":
      return netsh(table, options);
    case "json":
      return `${JSON.stringify({ rows: table.rows.map((row) => jsonRow(row, options)) }, null, 2)}\n`;
  }
}

function jsonRow(row: Row, { thumbprintOf }: TableFormat) {
  const { key, file, origin, appId } = row;
  const thumbprint = file === undefined ? undefined : thumbprintOf(file);
  return {
    row: rowKeyText(key),
    ...key,
    file: file ?? null,
    thumbprint: thumbprint ?? null,
    origin,
    appId,
    application: applicationName(appId) ?? null,
  };
}

function columns(table: BindingTable, { thumbprintOf }: TableFormat): string {
  if (table.rows.length === 0) return "The binding table is empty.\n";
  const lines = [["ROW", "CERTIFICATE FILE", "THUMBPRINT", "ORIGIN", "APPLICATION"]];
  for (const { key, file, origin, appId } of table.rows) {
    const certificate = file === undefined ? ["by host name", "-"] : [file, thumbprintOf(file) ?? "-"];
    lines.push([rowKeyText(key), ...certificate, origin, applicationName(appId) ?? appId]);
  }
  const widths = [0, 1, 2, 3, 4].map((column) => Math.max(...lines.map((line) => length(line[column] ?? ""))));
  return lines
    .map(
      (line) =>
        `${line
          .map((cell, column) => pad(cell, widths[column] ?? 0))
          .join("  ")
          .trimEnd()}\n`,
    )
    .join("");
}

/** In code points: file names may hold characters that take two code units. */
const length = (text: string): number => Array.from(text).length;
const pad = (text: string, width: number): string => text + " ".repeat(Math.max(0, width - length(text)));

const LABEL_WIDTH = 29;

/** The lines that follow the certificate in every row of Windows Server 2016 and later; certfarm's rows have the defaults. */
const SETTINGS: readonly (readonly [string, string])[] = [
  ["Verify Client Certificate Revocation", "Enabled"],
  ["Verify Revocation Using Cached Client Certificate Only", "Disabled"],
  ["Usage Check", "Enabled"],
  ["Revocation Freshness Time", "0"],
  ["URL Retrieval Timeout", "0"],
  ["Ctl Identifier", "(null)"],
  ["Ctl Store Name", "(null)"],
  ["DS Mapper Usage", "Disabled"],
  ["Negotiate Client Certificate", "Disabled"],
  ["Reject Connections", "Disabled"],
  ["Disable HTTP2", "Not Set"],
];

function netsh(table: BindingTable, { thumbprintOf }: TableFormat): string {
  const blocks = table.rows.map((row) => {
    const hash = row.file === undefined ? undefined : thumbprintOf(row.file);
    return [
      netshKey(row.key),
      ["Certificate Hash", hash?.toLowerCase() ?? "(null)"] as const,
      ["Application ID", row.appId] as const,
      ["Certificate Store Name", row.file ?? "(null)"] as const,
      ...SETTINGS,
    ]
      .map(([label, value]) => `    ${label.length < LABEL_WIDTH ? label.padEnd(LABEL_WIDTH) : `${label} `}: ${value}\n`)
      .join("");
  });
  return `\nSSL Certificate bindings: \n-------------------------\n\n${blocks.map((block) => `${block}\n`).join("")}`;
}

function netshKey(key: RowKey): readonly [string, string] {
  switch (key.kind) {
    case "ip":
      return ["IP:port", formatEndpoint(key)];
    case "any":
      return ["IP:port", `${key.family === 6 ? "[::]" : "0.0.0.0"}:${key.port}`];
    case "host":
      return ["Hostname:port", `${key.host}:${key.port}`];
    case "central":
      return ["Central Certificate Store", String(key.port)];
  }
}
