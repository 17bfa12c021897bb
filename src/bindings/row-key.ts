import { FarmError, formatEndpoint, ipFamily, parseEndpoint, parseHostPattern, parsePort } from "../base/index.ts";
import type { RowKey } from "./types.ts";

const FORMS = "ip:10.0.0.4:443, host:www.example.com:443, central:443 or any:0.0.0.0:443";

/** Spellings of the kinds: certfarm's own, then those of `netsh http`. */
const SPELLING = /^(ip:|any:|host:|central:|ipport=|hostnameport=|ccs=|scopedccs=)(.*)$/i;

/** How the rest of each spelling is read. */
const READERS: Readonly<Record<string, (text: string, rest: string) => RowKey>> = {
  "ip:": addressKey,
  "ipport=": addressKey,
  "any:": anyKey,
  "host:": hostKey,
  "hostnameport=": (text, rest) => (rest.startsWith("*:") ? centralKey(text, rest.slice(2)) : hostKey(text, rest)),
  "central:": centralKey,
  "ccs=": centralKey,
  "scopedccs=": (text) => {
    throw invalid(text, "central rows for one host name only (scopedccs) are not supported; write central:PORT");
  },
};

const MAX_SHOWN = 300;

/**
 * A key as text: `ip:10.0.0.4:443`, `ip:[2001:db8::1]:443`, `host:www.example.com:443`, `host:*.example.com:443`,
 * `central:443`, `any:0.0.0.0:443`, `any:[::]:443`. Equal keys have equal texts.
 */
export function rowKeyText(key: RowKey): string {
  switch (key.kind) {
    case "ip":
      return `ip:${formatEndpoint(key)}`;
    case "host":
      return `host:${key.host}:${key.port}`;
    case "central":
      return `central:${key.port}`;
    case "any":
      return key.family === 6 ? `any:[::]:${key.port}` : `any:0.0.0.0:${key.port}`;
  }
}

/**
 * Reads what rowKeyText writes, and the spellings of `netsh http`: `ipport=`, `hostnameport=`, `ccs=`. An address of
 * all zeros is an `any` row however it is spelt; `hostnameport=*:443` is how some Windows documentation writes a central row.
 * @throws BINDING_ROW_INVALID that says which part is wrong
 */
export function parseRowKey(text: string): RowKey {
  const match = SPELLING.exec(text.trim());
  const read = READERS[match?.[1]?.toLowerCase() ?? ""];
  if (read === undefined) throw invalid(text, `it starts with no kind; write ${FORMS}`);
  return read(text, match?.[2] ?? "");
}

/** The error for a row or key that is wrong. `text` is cut and escaped. */
export function invalid(text: string, problem: string): FarmError {
  return new FarmError("BINDING_ROW_INVALID", `${JSON.stringify(text.slice(0, MAX_SHOWN))} is not a row: ${problem}`, {
    facts: { row: text.slice(0, MAX_SHOWN) },
  });
}

function addressKey(text: string, rest: string): RowKey {
  const endpoint = parseEndpoint(rest);
  if (endpoint === undefined) throw invalid(text, `${JSON.stringify(rest)} is not IP:PORT (IPv6 in brackets, port 1 to 65535)`);
  const { address, port } = endpoint;
  if (address === "0.0.0.0" || address === "::") return { kind: "any", family: ipFamily(address), port };
  return { kind: "ip", address, port };
}

function anyKey(text: string, rest: string): RowKey {
  const key = addressKey(text, rest);
  if (key.kind !== "any") throw invalid(text, "an any row is for 0.0.0.0 or [::]; write ip: for one address");
  return key;
}

function hostKey(text: string, rest: string): RowKey {
  const colon = rest.lastIndexOf(":");
  if (colon < 0) throw invalid(text, "the port is missing; write host:NAME:PORT");
  const port = portOf(text, rest.slice(colon + 1));
  const host = parseHostPattern(rest.slice(0, colon));
  if (host === undefined) throw invalid(text, `${JSON.stringify(rest.slice(0, colon))} is neither a host name nor *. and a host name`);
  return { kind: "host", host, port };
}

function centralKey(text: string, rest: string): RowKey {
  return { kind: "central", port: portOf(text, rest) };
}

function portOf(text: string, digits: string): number {
  const port = parsePort(digits);
  if (port === undefined) throw invalid(text, `${JSON.stringify(digits)} is not a port from 1 to 65535`);
  return port;
}
