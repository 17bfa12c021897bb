import type { EvidenceRow, EvidenceRowKey, Source, TableEvidence } from "../doctor/index.ts";
import { decodeText } from "./decode-text.ts";
import { netshKey } from "./netsh-key.ts";
import { netshLines, type NetshLine } from "./netsh-lines.ts";
import { isNetshJson, readNetshJson } from "./read-netsh-json.ts";
import { TextPool } from "./text-pool.ts";
import { UnreadLines } from "./unread.ts";

/**
 * The binding table that `netsh http show sslcert` prints, as text of any Windows from 7 to 2025 in any language or with `json=enable`.
 * Rows are recognised by the shape of their values (endpoint, hash, GUID), never by labels: labels only name the options that are kept.
 * What cannot be read is in `unread`, line by line; only the heading, prompts and blank lines are passed over.
 * @throws IIS_INPUT_TOO_LARGE
 */
export function readNetsh(content: Uint8Array | string, source: Source): TableEvidence {
  const { text } = decodeText(content, source);
  if (isNetshJson(text)) return readNetshJson(text, source);
  const reading: Reading = { pool: new TextPool(), optionSets: new Map(), unread: new UnreadLines() };
  const rows: EvidenceRow[] = [];
  let block: NetshLine[] = [];
  let inRow = false;
  const finish = (): void => {
    const row = inRow ? readRow(block, reading) : undefined;
    if (row !== undefined) rows.push(row);
    else tellUnread(block, reading.unread);
  };
  for (const lines of threeByThree(netshLines(text, source))) {
    if (startsRow(lines)) {
      finish();
      block = [];
      inRow = true;
    }
    block.push(lines[0]);
  }
  finish();
  return { source, rows, unread: reading.unread.list() };
}

/** Each line with the two after it. */
type Window = readonly [NetshLine, NetshLine | undefined, NetshLine | undefined];

function* threeByThree(lines: Iterable<NetshLine>): Generator<Window, void, undefined> {
  let first: NetshLine | undefined;
  let second: NetshLine | undefined;
  for (const third of lines) {
    if (first !== undefined) yield [first, second, third];
    first = second;
    second = third;
  }
  if (first !== undefined) yield [first, second, undefined];
  if (second !== undefined) yield [second, undefined, undefined];
}

function tellUnread(block: readonly NetshLine[], unread: UnreadLines): void {
  for (const [at, { number, text }] of block.entries()) if (!isFurniture(block, at)) unread.add(number, text);
}

/** Whether a reading is a table, if only an empty one: rows, or the heading with its line. Messages of errors have neither. */
export function isNetshPrint(table: TableEvidence, print: string): boolean {
  return table.rows.length > 0 || (isNetshJson(print) ? table.unread.length === 0 : /(?:^|\n)[ \t`>|]*-{3,}/.test(print));
}

interface Reading {
  readonly pool: TextPool;
  /** Most rows of a table have the same options: they share one object. */
  readonly optionSets: Map<string, EvidenceRow["options"]>;
  readonly unread: UnreadLines;
}

/** How far the hash and the GUID of a row are from its first line, in lines. */
const HEAD = 4;

/**
 * An endpoint starts a row wherever it stands. A bare number does so only right before the hash and GUID of a row, since time-outs are
 * numbers too. Whatever else stands before a hash and a GUID is a row whose key cannot be read: it must not pass for options of the row before.
 */
function startsRow(lines: Window): boolean {
  const [shape, next, second] = lines.map((line) => line?.shape);
  if (shape === "endpoint") return true;
  if (shape === "port") return (isHashPlace(next) && second === "guid") || (next === "guid" && isHashPlace(second));
  return shape === "other" && second === "guid" && (next === "hash" || next === "null");
}

const isHashPlace = (shape: NetshLine["shape"] | undefined): boolean => shape === "hash" || shape === "null" || shape === "empty";

/** The row in these lines, its key first. */
function readRow(lines: readonly NetshLine[], reading: Reading): EvidenceRow | undefined {
  const [first, ...rest] = lines;
  const head = rest.slice(0, HEAD - 1);
  const hash = head.find(({ shape }) => isHashPlace(shape));
  const guid = head.find(({ shape }) => shape === "guid");
  const key = keyOf(first, hash, guid);
  if (key === undefined) return undefined;
  const store = storeOf(rest, hash, guid);
  const { pool } = reading;
  return {
    key: "host" in key ? { ...key, host: pool.get(key.host) as typeof key.host } : key, // the same text
    ...(hash?.shape === "hash" ? { thumbprint: pool.get(hash.value.toUpperCase()) } : {}),
    ...(store?.shape === "other" ? { storeName: pool.get(store.value) } : {}),
    ...(guid === undefined ? {} : { appId: pool.get(guid.value.toLowerCase()) }),
    options: readOptions(
      rest.filter((line) => line !== hash && line !== guid && line !== store),
      reading,
    ),
  };
}

type Found = NetshLine | undefined;

/** An endpoint alone is no row, and only central rows have no place for a hash in some versions. */
function keyOf(first: Found, hash: Found, guid: Found): EvidenceRowKey | undefined {
  if (first === undefined || (hash === undefined && guid === undefined)) return undefined;
  const key = netshKey(first.value, hash?.shape === "hash");
  return hash === undefined && key?.kind !== "central" ? undefined : key;
}

const SWITCHES = new Set(["enabled", "disabled", "set", "not set"]);

/** The store's name is the line after hash and GUID, unless this version does not print it. */
function storeOf(rest: readonly NetshLine[], hash: Found, guid: Found): Found {
  const at = Math.max(hash === undefined ? -1 : rest.indexOf(hash), guid === undefined ? -1 : rest.indexOf(guid));
  const line = rest[at + 1];
  if (line?.label === undefined || SWITCHES.has(line.value.toLowerCase())) return undefined;
  return line.shape === "other" || line.shape === "null" || line.shape === "empty" ? line : undefined;
}

/** The newest Windows prints about 35. */
const MAX_OPTIONS = 200;

function readOptions(lines: readonly NetshLine[], { pool, optionSets, unread }: Reading): EvidenceRow["options"] {
  const options = new Map<string, string>();
  let section = "";
  for (const [at, { label, value, number, text }] of lines.entries()) {
    if (isFurniture(lines, at)) continue;
    if (label === undefined || options.size === MAX_OPTIONS) {
      unread.add(number, text);
      continue;
    }
    // `Extended Properties:` is only the heading of the PropertyId that follows.
    if (value === "" && isPropertyId(lines[at + 1])) continue;
    if (isPropertyId(lines[at])) section = `PropertyId ${value} `;
    else options.set(pool.get(freeName(options, section + label)), pool.get(value));
  }
  const text = JSON.stringify([...options]);
  const known = optionSets.get(text);
  if (known !== undefined) return known;
  const set = Object.fromEntries(options);
  optionSets.set(text, set);
  return set;
}

/** The name of a field of the system's own structures: it is printed untranslated. */
const isPropertyId = (line: NetshLine | undefined): boolean => line?.label?.toLowerCase() === "propertyid";

function freeName(options: ReadonlyMap<string, string>, label: string): string {
  if (!options.has(label)) return label;
  for (let count = 2; ; count += 1) if (!options.has(`${label} (${count})`)) return `${label} (${count})`;
}

const RULE = /^-{3,}$/;
const PROMPT = /^(?:PS )?[a-z]:\\[^<>]*>/i;

/** What belongs to the print and says nothing: the line under the heading, the heading itself, and the prompt of a console. */
function isFurniture(lines: readonly NetshLine[], at: number): boolean {
  const text = lines[at]?.text ?? "";
  return RULE.test(text) || RULE.test(lines[at + 1]?.text ?? "") || PROMPT.test(text);
}
