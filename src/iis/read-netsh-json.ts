import { parseEndpoint, parseHostPattern, parseIpAddress, parsePort } from "../base/index.ts";
import type { EvidenceRow, EvidenceRowKey, Source, TableEvidence } from "../doctor/index.ts";
import { parseBoundedJson } from "./bounded-json.ts";
import { netshKey } from "./netsh-key.ts";
import { shapeOf } from "./netsh-lines.ts";
import { TextPool } from "./text-pool.ts";
import { UnreadLines } from "./unread.ts";

const START = /(?:^|\n)\s*\{\s*"/;

/** Whether a text is the output of `netsh http show sslcert json=enable`; lines of a console may stand around it. */
export const isNetshJson = (text: string): boolean => START.test(text.slice(0, 2_000)) && text.includes("SslCertificateBindings");

/**
 * The table that `json=enable` prints. Its fields are hardly documented, so here too values tell what they are; names, which are never
 * translated, decide only between texts that look alike. `unread` numbers entries instead of lines.
 * @throws IIS_INPUT_TOO_LARGE
 */
export function readNetshJson(text: string, source: Source): TableEvidence {
  const unread = new UnreadLines();
  const start = text.search(/\{\s*"/);
  const end = text.lastIndexOf("}") + 1;
  const json = parseBoundedJson(text.slice(start, end > start ? end : text.length), source);
  if ("problem" in json) {
    unread.add(1, json.problem);
    return { source, rows: [], unread: unread.list() };
  }
  const pool = new TextPool();
  const rows: EvidenceRow[] = [];
  for (const [at, entry] of entriesOf(json.value).entries()) {
    const row = readEntry(entry, pool);
    if (row === undefined) unread.add(at + 1, JSON.stringify(entry) ?? "nothing");
    else rows.push(row);
  }
  return { source, rows, unread: unread.list() };
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function entriesOf(root: unknown): readonly unknown[] {
  const list = isObject(root) ? Object.entries(root).find(([name]) => name.toLowerCase() === "sslcertificatebindings")?.[1] : undefined;
  if (Array.isArray(list)) return list;
  return list === undefined || list === null ? [] : [list];
}

interface Leaf {
  /** Names from the entry down, joined by blanks: `ExtendedProperties 0 ReceiveWindow`. */
  readonly path: string;
  readonly value: string;
}

/** Lists of more than this are no part of a binding. */
const MAX_LEAVES = 200;

function readEntry(entry: unknown, pool: TextPool): EvidenceRow | undefined {
  const leaves: Leaf[] = [];
  if (!isObject(entry) || !collect(entry, "", leaves)) return undefined;
  const hash = leaves.find(({ value }) => shapeOf(value) === "hash");
  const guid = leaves.find(({ value }) => shapeOf(braced(value)) === "guid");
  const found = findKey(leaves, hash !== undefined);
  if (found === undefined) return undefined;
  const store = leaves.find(({ path, value }) => /store/i.test(path) && !/ctl/i.test(path) && value !== "" && value !== "(null)");
  const used = new Set([hash, guid, store, ...found.leaves]);
  const options = leaves.filter((leaf) => !used.has(leaf)).map(({ path, value }) => [pool.get(path), pool.get(value)]);
  return {
    key: found.key,
    ...(hash === undefined ? {} : { thumbprint: pool.get(hash.value.toUpperCase()) }),
    ...(store === undefined ? {} : { storeName: pool.get(store.value) }),
    ...(guid === undefined ? {} : { appId: pool.get(braced(guid.value).toLowerCase()) }),
    options: Object.fromEntries(options) as EvidenceRow["options"],
  };
}

const braced = (value: string): string => (value.startsWith("{") ? value : `{${value}}`);

/** All that is not a list or an object, as text. A hash may be a list of octets. false = too many. */
function collect(value: unknown, path: string, leaves: Leaf[]): boolean {
  if (leaves.length >= MAX_LEAVES) return false;
  if (typeof value !== "object" || value === null) {
    leaves.push({ path, value: typeof value === "string" ? value : value === null ? "(null)" : JSON.stringify(value) });
    return true;
  }
  if (Array.isArray(value) && (value.length === 20 || value.length === 32) && value.every(isOctet)) {
    leaves.push({ path, value: Buffer.from(value).toString("hex") });
    return true;
  }
  return Object.entries(value).every(([name, part]) => collect(part, path === "" ? name : `${path} ${name}`, leaves));
}

const isOctet = (value: unknown): value is number => typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= 255;

/** An endpoint in one text, or a port with an address or a name beside it, or a port alone. */
function findKey(
  leaves: readonly Leaf[],
  hasHash: boolean,
): { readonly key: EvidenceRowKey; readonly leaves: readonly Leaf[] } | undefined {
  const whole = leaves.find(({ value }) => shapeOf(value) === "endpoint");
  if (whole !== undefined) return keyed(whole.value, hasHash, [whole]);
  const port = leaves.find(({ path, value }) => /port|ccs/i.test(path) && parsePort(value) !== undefined);
  if (port === undefined) return undefined;
  const address = leaves.find(({ path, value }) => /ip|addr/i.test(path) && parseIpAddress(value) !== undefined);
  const host = leaves.find(({ path, value }) => /host/i.test(path) && (value === "*" || parseHostPattern(value) !== undefined));
  const named = host ?? address;
  if (named === undefined) return keyed(port.value, hasHash, [port]);
  const name = named.value.includes(":") && parseEndpoint(named.value) === undefined ? `[${named.value}]` : named.value;
  return keyed(`${name}:${port.value}`, hasHash, [port, named]);
}

function keyed(text: string, hasHash: boolean, leaves: readonly Leaf[]) {
  const key = netshKey(text, hasHash);
  return key === undefined ? undefined : { key, leaves };
}
