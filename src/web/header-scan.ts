import type { WebRequest } from "./types.ts";

/** What routing, caching and the access log need of a request's header fields, read in one pass. */
export interface HeaderScan {
  /** Host of HTTP/1, `:authority` of HTTP/2. */
  host: string | undefined;
  /** How many there were; more than one is a bad request (RFC 9112 section 3.2). */
  hosts: number;
  acceptEncoding: string;
  userAgent: string;
  referer: string;
  /** A Range or an If-* field is there. */
  conditional: boolean;
}

/**
 * Reads rawHeaders, because Node drops a second Host silently, and because `request.headers` of HTTP/1 is built on first
 * use: a request for a cached file does without.
 */
export function scanHeaders(request: WebRequest): HeaderScan {
  const raw = request.rawHeaders;
  const scan: HeaderScan = { host: undefined, hosts: 0, acceptEncoding: "", userAgent: "", referer: "", conditional: false };
  let authority: string | undefined;
  for (let at = 0; at < raw.length; at += 2) {
    const name = raw[at] ?? "";
    if (name.length < 4 || name.length > 19) continue;
    const value = raw[at + 1] ?? "";
    if (name.charCodeAt(0) === COLON) {
      if (name === ":authority") authority = value;
    } else take(scan, name.toLowerCase(), value);
  }
  // RFC 9113 section 8.3.1: `:authority` replaces Host; a Host beside it must agree, else neither can be trusted.
  if (authority !== undefined) {
    scan.hosts = scan.hosts === 0 || (scan.hosts === 1 && scan.host === authority) ? 1 : 2;
    scan.host = authority;
  }
  return scan;
}

const COLON = 0x3a;

function take(scan: HeaderScan, name: string, value: string): void {
  switch (name) {
    case "host":
      scan.host = value;
      scan.hosts += 1;
      break;
    case "accept-encoding":
      scan.acceptEncoding = scan.acceptEncoding === "" ? value : `${scan.acceptEncoding},${value}`;
      break;
    case "user-agent":
      scan.userAgent = value;
      break;
    case "referer":
      scan.referer = value;
      break;
    case "range":
    case "if-range":
    case "if-match":
    case "if-none-match":
    case "if-modified-since":
    case "if-unmodified-since":
      scan.conditional = true;
      break;
    default:
  }
}
