import { wildcardOf, type HostName, type HostPattern } from "../base/index.ts";
import { applicationName } from "./application-id.ts";
import { rowKeyText } from "./row-key.ts";
import { compareRows } from "./table.ts";
import type { BindingTable, Drift, Row } from "./types.ts";

const NO_HOSTS: ReadonlySet<string> = new Set();

/**
 * What differs between the table a node should have and the one it has, in canonical order. Rows of one key are the same when
 * they name the same file: who made a row does not change what is served.
 *
 * `hostKeys` (of desiredTable) are the host names that the configuration binds; without them a host row that somebody added
 * counts as shadowing only when a desired host row covers it.
 */
export function diffTables(desired: BindingTable, actual: BindingTable, hostKeys: ReadonlySet<string> = NO_HOSTS): readonly Drift[] {
  const wanted = new Map(desired.rows.map((row) => [rowKeyText(row.key), row]));
  const shadowing = shadowFinder(desired, hostKeys);
  const drifts: Drift[] = [];
  for (const row of actual.rows) {
    const text = rowKeyText(row.key);
    const twin = wanted.get(text);
    wanted.delete(text);
    if (twin === undefined) drifts.push(extra(row, row.origin === "operator" ? shadowing(row) : []));
    else if (twin.file !== row.file)
      drifts.push({ kind: "different", key: row.key, desired: twin, actual: row, mend: "replace", shadows: [] });
  }
  for (const row of wanted.values()) drifts.push({ kind: "missing", key: row.key, desired: row, mend: "add", shadows: [] });
  return drifts.length < 2 ? drifts : drifts.sort((a, b) => compareRows(rowOf(a), rowOf(b)));
}

function rowOf(drift: Drift): Row {
  return drift.kind === "missing" ? drift.desired : drift.actual;
}

function extra(row: Row, shadows: readonly Row[]): Drift {
  const mend = row.origin === "configuration" || shadows.length > 0 ? "remove" : "keep";
  return { kind: "extra", key: row.key, actual: row, mend, shadows: shadows.map(({ key }) => key) };
}

/**
 * The table that the reconciler makes of `actual`: missing rows come, different ones are put right, rows of an earlier configuration
 * go; an operator's row stays unless it shadows a desired one. `actual` itself when nothing is to be done.
 */
export function mendTable(desired: BindingTable, actual: BindingTable, hostKeys: ReadonlySet<string> = NO_HOSTS): BindingTable {
  const drifts = diffTables(desired, actual, hostKeys).filter(({ mend }) => mend !== "keep");
  if (drifts.length === 0) return actual;
  const rows = new Map(actual.rows.map((row) => [rowKeyText(row.key), row]));
  for (const drift of drifts) {
    if (drift.kind === "extra") rows.delete(rowKeyText(drift.key));
    else rows.set(rowKeyText(drift.key), drift.desired);
  }
  return { rows: [...rows.values()].sort(compareRows) };
}

/** A drift as one sentence for an operator. */
export function driftText(drift: Drift): string {
  const key = rowKeyText(drift.key);
  switch (drift.kind) {
    case "missing":
      return `${key} is missing${naming(drift.desired)}`;
    case "different":
      return `${key} names ${drift.actual.file ?? "no file"} instead of ${drift.desired.file ?? "no file"}${owner(drift.actual)}`;
    case "extra": {
      const said = `${key}${naming(drift.actual)} is in no configuration${owner(drift.actual)}`;
      if (drift.shadows.length > 0) return `${said} and is looked at before ${listed(drift.shadows.map(rowKeyText))}`;
      return drift.mend === "keep" ? `${said}; it takes nothing from other rows and is kept` : said;
    }
  }
}

const naming = (row: Row): string => (row.file === undefined ? "" : ` (${row.file})`);

/** Who made a row, when it was not the configuration. */
function owner(row: Row): string {
  if (row.origin === "configuration") return "";
  return `, it was added by hand (application ${applicationName(row.appId) ?? row.appId})`;
}

function listed(texts: readonly string[]): string {
  const shown = texts.slice(0, 3).join(", ");
  return texts.length > 3 ? `${shown} and ${texts.length - 3} more` : shown;
}

/** Tells which desired rows a row that is not desired would take handshakes from, with another certificate. */
function shadowFinder(desired: BindingTable, hostKeys: ReadonlySet<string>): (row: Row) => readonly Row[] {
  const ports = new Map<number, Row[]>();
  for (const row of desired.rows) {
    const rows = ports.get(row.key.port);
    if (rows === undefined) ports.set(row.key.port, [row]);
    else rows.push(row);
  }
  return (row) => (ports.get(row.key.port) ?? []).filter((other) => other.file !== row.file && shadows(row, other, hostKeys));
}

function shadows(row: Row, other: Row, hostKeys: ReadonlySet<string>): boolean {
  switch (row.key.kind) {
    case "ip":
      return other.key.kind !== "ip"; // two addresses never meet
    case "host":
      if (other.key.kind === "host") return coversHost(other.key.host, row.key.host);
      return other.key.kind === "central" && configured(row.key.host, row.key.port, hostKeys);
    case "any":
      return row.key.family === 6 && other.key.kind === "any";
    case "central":
      return other.key.kind === "any";
  }
}

/** Whether a wildcard covers an exact host. */
function coversHost(pattern: HostPattern, host: HostPattern): boolean {
  return pattern.startsWith("*.") && !host.startsWith("*.") && wildcardOf(host as string as HostName) === pattern; // no `*.`: a name
}

/** Whether a host row would answer for a name that the configuration binds. */
function configured(host: HostPattern, port: number, hostKeys: ReadonlySet<string>): boolean {
  if (hostKeys.has(rowKeyText({ kind: "host", host, port }))) return true;
  if (!host.startsWith("*.")) return hostKeys.has(`host:${wildcardOf(host as string as HostName) ?? ""}:${port}`); // no `*.`: a name
  const end = `${host.slice(1)}:${port}`;
  for (const key of hostKeys) if (key.endsWith(end) && !key.slice("host:".length, -end.length).includes(".")) return true;
  return false;
}
