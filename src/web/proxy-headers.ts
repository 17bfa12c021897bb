import { ipFamily, parseIpAddress } from "../base/index.ts";
import type { Exchange, FlatHeaders } from "./exchange.ts";
import type { Authority } from "./request-target.ts";

/** Fields for one hop only (RFC 9110 section 7.6.1), with the old ones that clients still send. */
const HOP_BY_HOP = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-authentication-info",
  "http2-settings",
]);
/** Written anew for the upstream, whatever the client sent. */
const REWRITTEN = new Set([
  "host",
  "expect",
  "via",
  "forwarded",
  "x-forwarded-for",
  "x-forwarded-proto",
  "x-forwarded-host",
  "x-forwarded-port",
]);
/** A Connection field must not take these away: framing and routing depend on them. */
const KEPT = new Set([
  "content-length",
  "host",
  "content-encoding",
  "content-range",
  "content-type",
  "authorization",
  "cookie",
  "cache-control",
]);

const PSEUDONYM = "certfarm";

/** How a request is handed on. */
export interface HandOn {
  readonly host: Authority;
  readonly upstream: URL;
  readonly preserveHost: boolean;
  /** The client's own forwarding fields are believed. */
  readonly trusted: boolean;
  readonly hasBody: boolean;
  /** Protocol of an upgrade. */
  readonly upgrade: string | undefined;
}

/** The header of the request to the upstream. */
export function upstreamHeaders(exchange: Exchange, hand: HandOn): string[] {
  const { request, connection } = exchange;
  const raw = request.rawHeaders;
  const passed = endToEnd(raw, REWRITTEN);
  const out: string[] = ["Host", hand.preserveHost ? hostText(hand.host) : hand.upstream.host, ...passed.fields];
  if (passed.cookies.length > 0) out.push("Cookie", passed.cookies.join("; "));
  if (hand.hasBody && !passed.hasLength) out.push("Transfer-Encoding", "chunked");
  if (hand.upgrade !== undefined) out.push("Connection", "Upgrade", "Upgrade", hand.upgrade);
  out.push("Via", joined(raw, "via", `${request.httpVersion === "2.0" ? "2" : request.httpVersion} ${PSEUDONYM}`));
  return out.concat(forwardedFields(raw, hand, connection));
}

const hostText = (host: Authority): string => (host.port === undefined ? host.text : `${host.text}:${host.port}`);

/** The fields that are not for one hop, in order. Cookies apart: HTTP/2 may split them, HTTP/1 must not (RFC 9113 section 8.2.3). */
function endToEnd(raw: FlatHeaders, without: ReadonlySet<string>): { fields: string[]; cookies: string[]; hasLength: boolean } {
  const named = connectionNames(raw);
  const out = { fields: [] as string[], cookies: [] as string[], hasLength: false };
  for (let at = 0; at < raw.length; at += 2) {
    const name = raw[at] ?? "";
    const lower = name.toLowerCase();
    if (lower.startsWith(":") || HOP_BY_HOP.has(lower) || without.has(lower) || named.has(lower)) continue;
    if (lower === "content-length") out.hasLength = true;
    if (lower === "cookie") out.cookies.push(raw[at + 1] ?? "");
    else out.fields.push(name, raw[at + 1] ?? "");
  }
  return out;
}

function forwardedFields(raw: FlatHeaders, hand: HandOn, connection: Exchange["connection"]): string[] {
  const { protocol, clientAddress } = connection;
  const port = String(hand.host.port ?? (protocol === "https" ? 443 : 80));
  const address = parseIpAddress(clientAddress);
  const node = address !== undefined && ipFamily(address) === 6 ? `"[${address}]"` : clientAddress;
  // RFC 7239: a host may hold a colon, so it is quoted.
  const forwarded = `for=${node};host="${hostText(hand.host)}";proto=${protocol}`;
  const first = (name: string, own: string): string => (hand.trusted ? (valuesOf(raw, name)[0] ?? own) : own);
  const added = (name: string, own: string): string => (hand.trusted ? joined(raw, name, own) : own);
  const fields = [
    ["X-Forwarded-For", added("x-forwarded-for", clientAddress)],
    ["X-Forwarded-Proto", first("x-forwarded-proto", protocol)],
    ["X-Forwarded-Host", first("x-forwarded-host", hostText(hand.host))],
    ["X-Forwarded-Port", first("x-forwarded-port", port)],
    ["Forwarded", added("forwarded", forwarded)],
  ];
  return fields.flat();
}

/** The header of the answer to the client: what the upstream sent, without what was meant for this hop, with the site's own fields. */
export function clientHeaders(raw: FlatHeaders, extra: FlatHeaders, httpVersion: string): string[] {
  const own = new Set(["via"]);
  for (let at = 0; at < extra.length; at += 2) own.add((extra[at] ?? "").toLowerCase());
  return [...endToEnd(raw, own).fields, "Via", joined(raw, "via", `${httpVersion} ${PSEUDONYM}`), ...extra];
}

/** How often certfarm has handed this request on already. */
export const timesForwarded = (raw: FlatHeaders): number => valuesOf(raw, "via").join(",").split(` ${PSEUDONYM}`).length - 1;

/** Names that the Connection field declares to be for this hop. */
function connectionNames(raw: FlatHeaders): ReadonlySet<string> {
  const names = new Set<string>();
  for (const value of valuesOf(raw, "connection")) {
    for (const item of value.split(",", 64)) {
      const name = item.trim().toLowerCase();
      if (!KEPT.has(name)) names.add(name);
    }
  }
  return names;
}

function valuesOf(raw: FlatHeaders, wanted: string): string[] {
  const values: string[] = [];
  for (let at = 0; at < raw.length; at += 2) if (raw[at]?.toLowerCase() === wanted) values.push(raw[at + 1] ?? "");
  return values;
}

const joined = (raw: FlatHeaders, name: string, last: string): string => [...valuesOf(raw, name), last].join(", ");
