import { parseHostName, parseIpAddress } from "../base/index.ts";
import type { ServerName } from "./types.ts";

const MAX_SHOWN = 80;

/** No server name was sent. */
export const ABSENT: ServerName = { kind: "absent" };

/**
 * A server name as somebody typed it, for `explain`: Unicode names are taken, undefined means a client without SNI.
 */
export function serverNameOf(text: string | undefined): ServerName {
  if (text === undefined) return ABSENT;
  const host = parseHostName(text);
  return host === undefined ? { kind: "invalid", shown: printable(text), problem: problemOf(text) } : { kind: "name", host };
}

/**
 * A server name as it came over the wire, one character an octet. Only ASCII is allowed there (RFC 6066 section 3: A-labels).
 */
export function serverNameOnWire(octets: string): ServerName {
  const host = isAscii(octets) ? parseHostName(octets) : undefined;
  return host === undefined ? { kind: "invalid", shown: printable(octets), problem: problemOf(octets) } : { kind: "name", host };
}

/** Text that is safe to print anywhere: other than printable ASCII escaped, at most 80 characters and an ellipsis. */
export function printable(text: string): string {
  let shown = "";
  for (const char of text) {
    const code = char.codePointAt(0) ?? 0;
    const part = code >= 0x20 && code < 0x7f && char !== "\\" ? char : escapeOf(code);
    if (shown.length + part.length > MAX_SHOWN) return `${shown}…`;
    shown += part;
  }
  return shown;
}

function escapeOf(code: number): string {
  return code <= 0xff ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u{${code.toString(16)}}`;
}

function isAscii(text: string): boolean {
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) > 0x7f) return false;
  return true;
}

function problemOf(text: string): string {
  if (text.length === 0) return "the name is empty";
  if (text.length > 255) return `the name has ${text.length} octets; a host name has at most 253`;
  if (parseIpAddress(text) !== undefined) return "the name is an IP address, which a server name must not be (RFC 6066 section 3)";
  if (!isAscii(text)) return "the name holds octets outside ASCII; names are sent as A-labels (RFC 6066 section 3)";
  if (/[^ -~]/.test(text)) return "the name holds control characters";
  if (/[/\\]/.test(text)) return "the name holds a path separator";
  return "the name is not a DNS host name";
}
