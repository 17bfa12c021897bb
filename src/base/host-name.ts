import { domainToASCII, domainToUnicode } from "node:url";

import { FarmError } from "./errors.ts";

/** A DNS name in its one normal form: lower case, A-labels, no trailing dot, at most 253 characters. */
export type HostName = string & { readonly __brand: "HostName" };

/** A HostName, or `*.` and a HostName: the wildcard stands for exactly one label. */
export type HostPattern = string & { readonly __brand: "HostPattern" };

const LABEL = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/;
const PLAIN = /^[a-z0-9._-]+$/;
/** A name that ends in a number is an IPv4 address in one of its spellings, never a host (URL standard; no top-level domain is a number). */
const ENDS_IN_NUMBER = /(?:^|\.)(?:\d+|0x[0-9a-f]*)$/;

/**
 * The normal form of a host name, or undefined when it is none.
 * Accepts any case, one trailing dot, Unicode (NFC or NFD) or A-labels. Refuses IP literals (RFC 6066 section 3),
 * control characters, separators and labels over 63 octets, so that a name can never become a path.
 */
export function parseHostName(text: string): HostName | undefined {
  if (text.length > 255) return undefined;
  const bare = text.endsWith(".") ? text.slice(0, -1) : text;
  const lower = bare.toLowerCase();
  // domainToASCII accepts percent escapes and IPv4 shorthand of URLs; only names with other letters need it.
  const ascii = PLAIN.test(lower) ? lower : hasOnlyLetters(lower) ? domainToASCII(lower.normalize("NFC")) : "";
  if (ascii.length === 0 || ascii.length > 253 || ENDS_IN_NUMBER.test(ascii)) return undefined;
  for (const label of ascii.split(".")) if (!LABEL.test(label)) return undefined;
  return ascii as HostName; // checked above
}

/** Non-ASCII text without ASCII characters that a host name cannot have. */
function hasOnlyLetters(text: string): boolean {
  for (const char of text) {
    if (char < "\u0080" ? !PLAIN.test(char) : /[\p{C}\p{Z}]/u.test(char)) return false;
  }
  return true;
}

/** Like parseHostName, for operators' input. @throws HOST_NAME_INVALID */
export function requireHostName(text: string): HostName {
  const host = parseHostName(text);
  if (host === undefined) throw new FarmError("HOST_NAME_INVALID", `${JSON.stringify(text.slice(0, 300))} is not a host name`);
  return host;
}

/** The normal form of `www.example.com` or `*.example.com`, or undefined. */
export function parseHostPattern(text: string): HostPattern | undefined {
  if (!text.startsWith("*.")) return parseHostName(text) as HostPattern | undefined; // a HostName is a HostPattern
  const parent = parseHostName(text.slice(2));
  return parent === undefined ? undefined : (`*.${parent}` as HostPattern);
}

/** The wildcard that covers a host: `*.example.com` for `www.example.com`; undefined for a single label. */
export function wildcardOf(host: HostName): HostPattern | undefined {
  const dot = host.indexOf(".");
  return dot < 0 ? undefined : (`*${host.slice(dot)}` as HostPattern);
}

/** Whether a pattern covers a host: equality, or the left-most label replaced (RFC 9525 section 6.3). */
export function patternCovers(pattern: HostPattern, host: HostName): boolean {
  return pattern === (host as string) || (pattern.startsWith("*.") && pattern === (wildcardOf(host) as string | undefined));
}

/** The Unicode form of a host or pattern, for people and for file names. */
export function toUnicodeHost(host: HostName | HostPattern): string {
  if (!host.includes("xn--")) return host;
  const wild = host.startsWith("*.");
  const unicode = domainToUnicode(wild ? host.slice(2) : host);
  // Labels that only look like A-labels have no Unicode form.
  return unicode === "" ? host : `${wild ? "*." : ""}${unicode}`;
}
