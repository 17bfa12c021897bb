import { printable } from "./server-name.ts";
import type { ClientHello } from "./types.ts";

const VERSIONS: ReadonlyMap<number, string> = new Map([
  [0x0304, "TLS 1.3"],
  [0x0303, "TLS 1.2"],
  [0x0302, "TLS 1.1"],
  [0x0301, "TLS 1.0"],
  [0x0300, "SSL 3.0"],
]);

/** What a journal keeps of a list that a client may make as long as it likes. */
const MAX_ITEMS = 8;

/** Reserved values that clients mix in so that servers stay tolerant (RFC 8701): 0x0a0a, 0x1a1a … 0xfafa. */
const isGrease = (value: number): boolean => (value & 0x0f0f) === 0x0a0a && value >> 8 === (value & 0xff);

/** Offered versions and ALPN as text for the journal: safe to print, GREASE left out, at most 8 items and an ellipsis each. */
export function describeHello(hello: ClientHello): { readonly versions: readonly string[]; readonly alpn: readonly string[] } {
  const versions = hello.versions.filter((version) => !isGrease(version)).map(versionName);
  const alpn = hello.alpn.filter((protocol) => !isGreaseProtocol(protocol)).map(printable);
  return { versions: cut(versions), alpn: cut(alpn) };
}

function versionName(version: number): string {
  return VERSIONS.get(version) ?? `0x${version.toString(16).padStart(4, "0")}`;
}

function isGreaseProtocol(protocol: string): boolean {
  return protocol.length === 2 && isGrease((protocol.charCodeAt(0) << 8) | protocol.charCodeAt(1));
}

function cut(items: readonly string[]): readonly string[] {
  return items.length > MAX_ITEMS ? [...items.slice(0, MAX_ITEMS), "…"] : items;
}
