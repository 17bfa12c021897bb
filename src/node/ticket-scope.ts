import { createHash, hkdfSync } from "node:crypto";

import type { TicketKey, TicketKeySet } from "../replica/index.ts";

/** Which generation of the farm's ticket keys a connection uses. */
export type TicketSlot = "current" | "previous" | "next";

/** OpenSSL's ticket keys for one scope in the form Node takes (48 octets: name, HMAC key, AES key), by generation. */
export interface ScopedTicketKeys {
  readonly current: Buffer;
  readonly previous?: Buffer;
  readonly next: Buffer;
}

const NAME_OCTETS = 16;

function derive(key: TicketKey, scope: string): Buffer {
  return Buffer.from(hkdfSync("sha256", key.secret, key.id, `certfarm ticket ${scope}`, 48));
}

/**
 * The ticket keys of one scope. The scope is the host name and the TLS policy, so a ticket of one host never resumes another
 * (its key has another name and is not even tried), and a changed client-certificate policy ends old sessions.
 * Derived alike on every node (RFC 5869), so a client resumes anywhere in the farm.
 */
export function scopeTicketKeys(keys: TicketKeySet, scope: string): ScopedTicketKeys {
  return {
    current: derive(keys.current, scope),
    next: derive(keys.next, scope),
    ...(keys.previous === undefined ? {} : { previous: derive(keys.previous, scope) }),
  };
}

/**
 * Which generation a ClientHello's ticket was made with. Node holds one ticket key per TLS server, so the name in the ticket
 * (RFC 5077 section 4) says which server object has to take the connection; without a known name it is the current one.
 */
export function ticketSlot(keys: ScopedTicketKeys, name: Uint8Array | undefined): TicketSlot {
  if (name === undefined || name.length < NAME_OCTETS || sameName(keys.current, name)) return "current";
  if (keys.previous !== undefined && sameName(keys.previous, name)) return "previous";
  return sameName(keys.next, name) ? "next" : "current";
}

function sameName(key: Buffer, name: Uint8Array): boolean {
  return key.compare(name, 0, NAME_OCTETS, 0, NAME_OCTETS) === 0;
}

/** A short, stable text for anything that a ticket's scope depends on. */
export const scopeDigest = (parts: readonly string[]): string =>
  createHash("sha256").update(JSON.stringify(parts)).digest("base64url").slice(0, 22);
