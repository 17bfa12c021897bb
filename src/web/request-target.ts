import { ipFamily, parseHostName, parseIpAddress, parsePort, type HostName } from "../base/index.ts";

/** Host and port that a client named: a DNS name, or an address (then `name` is absent). */
export interface Authority {
  readonly name?: HostName;
  /** As it goes into a URL: the name, or the address with brackets where it needs them. */
  readonly text: string;
  readonly port?: number;
}

const AUTHORITY = /^(\[[^\]]+\]|[^:]+)(?::(\d*))?$/;

/** Reads `www.example.com`, `www.example.com:8443`, `10.0.0.4`, `[2001:db8::4]:443`; undefined for anything else. An empty port is none (RFC 3986). */
export function parseAuthority(value: string): Authority | undefined {
  if (value.length > 270) return undefined;
  const [, host, digits = ""] = AUTHORITY.exec(value) ?? [];
  const port = parsePort(digits);
  if (host === undefined || (digits !== "" && port === undefined)) return undefined;
  const withPort = port === undefined ? {} : { port };
  const name = parseHostName(host);
  if (name !== undefined) return { name, text: name, ...withPort };
  const address = parseIpAddress(host);
  return address === undefined ? undefined : { text: ipFamily(address) === 6 ? `[${address}]` : address, ...withPort };
}

/** What a request line asks for, still encoded. */
export interface RequestTarget {
  readonly path: string;
  /** With its `?`; empty when there is none. */
  readonly query: string;
  /** Of the absolute form, which replaces the Host field (RFC 9112 section 3.2.2). */
  readonly authority?: string;
}

const VISIBLE = /^[\x21-\x7e]+$/;
const ABSOLUTE = /^https?:\/\/([^/?#]*)(.*)$/i;

/** Splits a request target; undefined when it is none that a web site answers (`*`, authority form, other characters). */
export function parseTarget(url: string): RequestTarget | undefined {
  if (!VISIBLE.test(url) || url.includes("#")) return undefined;
  if (url.startsWith("/")) return split(url);
  const absolute = ABSOLUTE.exec(url);
  if (absolute === null) return undefined;
  const rest = absolute[2] ?? "";
  return { ...split(rest.startsWith("/") ? rest : `/${rest}`), authority: absolute[1] ?? "" };
}

function split(url: string): RequestTarget {
  const mark = url.indexOf("?");
  return mark < 0 ? { path: url, query: "" } : { path: url.slice(0, mark), query: url.slice(mark) };
}
