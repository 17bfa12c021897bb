import type { AccessEntry } from "./access-entry.ts";

/** How lines are written: W3C extended with the field names of IIS, or one JSON object a line. */
export type AccessFormat = "w3c" | "json";

/** Longer texts are cut: a line has an upper bound. */
const MAX_TEXT = 2_048;
const UNSAFE = /[^\x21-\x7e]/;
/** What IIS calls a client that left: ERROR_NETNAME_DELETED. */
const NETNAME_DELETED = 64;

const FIELDS = [
  "date",
  "time",
  "s-ip",
  "cs-method",
  "cs-uri-stem",
  "cs-uri-query",
  "s-port",
  "cs-username",
  "c-ip",
  "cs(User-Agent)",
  "cs(Referer)",
  "cs-host",
  "s-sitename",
  "cs-version",
  "sc-status",
  "sc-substatus",
  "sc-win32-status",
  "sc-bytes",
  "time-taken",
] as const;

/** What a W3C file begins with. */
export function w3cPreamble(atMs: number): string {
  const date = new Date(atMs).toISOString();
  return `#Software: certfarm\n#Version: 1.0\n#Date: ${date.slice(0, 10)} ${date.slice(11, 19)}\n#Fields: ${FIELDS.join(" ")}\n`;
}

/**
 * Makes lines of entries. A client cannot forge a field or a line: blanks become `+` (as IIS writes them), everything
 * else that is not visible ASCII is percent-encoded as UTF-8; JSON escapes by itself.
 */
export class AccessLineWriter {
  readonly #format: AccessFormat;
  /** The server's address of `s-ip`. */
  readonly #address: string;
  #second = -1;
  #stamp = "";
  /** User agents repeat; the memory is emptied when it is full. */
  readonly #agents = new Map<string, string>();

  constructor(format: AccessFormat, address: string) {
    this.#format = format;
    this.#address = address;
  }

  /** With its newline. */
  line(entry: AccessEntry, atMs: number): string {
    return this.#format === "json" ? jsonLine(entry, atMs) : this.#w3c(entry, atMs);
  }

  #w3c(entry: AccessEntry, atMs: number): string {
    const second = Math.floor(atMs / 1000);
    if (second !== this.#second) {
      const date = new Date(second * 1000).toISOString();
      this.#second = second;
      this.#stamp = `${date.slice(0, 10)} ${date.slice(11, 19)} ${this.#address}`;
    }
    const { method, path, query, port, clientSubject, clientAddress } = entry;
    const request = `${text(method)} ${text(path)} ${text(query)} ${port} ${text(clientSubject)} ${text(clientAddress)}`;
    const client = `${this.#agent(entry.userAgent)} ${text(entry.referer)} ${text(entry.host)} ${text(entry.site)} HTTP/${text(entry.httpVersion)}`;
    const win32 = entry.aborted ? NETNAME_DELETED : 0;
    return `${this.#stamp} ${request} ${client} ${entry.status} 0 ${win32} ${entry.bytes} ${Math.round(entry.tookMs)}\n`;
  }

  #agent(value: string): string {
    let known = this.#agents.get(value);
    if (known === undefined) {
      known = text(value);
      if (this.#agents.size >= 256) this.#agents.clear();
      if (value.length <= MAX_TEXT) this.#agents.set(value, known);
    }
    return known;
  }
}

function text(value: string): string {
  if (value === "") return "-";
  const cut = value.length > MAX_TEXT ? value.slice(0, MAX_TEXT) : value;
  if (!UNSAFE.test(cut)) return cut;
  return encodeURI(cut.replace(/[\ud800-\udfff]/g, "?"))
    .replaceAll("%20", "+")
    .replaceAll("%25", "%");
}

function jsonLine(entry: AccessEntry, atMs: number): string {
  const { path, query, userAgent, referer, host, method, tookMs, ...rest } = entry;
  const cut = (value: string): string => value.slice(0, MAX_TEXT);
  return `${JSON.stringify({
    time: new Date(atMs).toISOString(),
    ...rest,
    method: cut(method),
    host: cut(host),
    path: cut(path),
    query: cut(query),
    userAgent: cut(userAgent),
    referer: cut(referer),
    tookMs: Math.round(tookMs * 1000) / 1000,
  })}\n`;
}
