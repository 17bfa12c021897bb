import { parseClientHello } from "./client-hello.ts";
import type { HelloReading } from "./types.ts";

/** Octets that a ClientHello may take, its record headers included. Today's largest, with post-quantum shares, take about 2 KiB. */
const MAX_HELLO_BYTES = 65_536;

const RECORD_HEADER = 5;
const MESSAGE_HEADER = 4;
const TYPE_HANDSHAKE = 22;
const TYPE_CLIENT_HELLO = 1;
/** RFC 8446 section 5.1. */
const MAX_RECORD = 16_384;

const METHODS = ["GET ", "HEAD ", "POST ", "PUT ", "DELETE ", "OPTIONS ", "PATCH ", "CONNECT ", "TRACE ", "PRI ", "PROPFIND "];

/**
 * Says what the first octets of a connection are, and reads the ClientHello when they hold one (RFC 8446 sections 4.1.2, 4.2
 * and 5.1; RFC 6066 section 3). Never throws. `bytes` starts at the connection's first octet; octets after the ClientHello's
 * last record are not looked at. The hello's `ticketKeyName` is a view into `bytes`, not a copy (unless the message came in
 * several records).
 */
export function readHello(bytes: Uint8Array): HelloReading {
  if (bytes.length === 0) return incomplete(bytes, 1);
  if (bytes[0] !== TYPE_HANDSHAKE) return notHandshake(bytes);
  if (bytes.length > 1 && bytes[1] !== 3) return { kind: "not-tls", looksLike: "other" };
  if (bytes.length < RECORD_HEADER) return incomplete(bytes, RECORD_HEADER);
  const first = recordLength(bytes, 0);
  if (typeof first !== "number") return first;
  // Almost every hello: one record that holds the whole message and nothing else.
  if (first >= MESSAGE_HEADER && bytes.length >= RECORD_HEADER + first) {
    const message = messageLength(bytes, RECORD_HEADER);
    if (typeof message !== "number") return message;
    if (message === first) return parseClientHello(bytes, RECORD_HEADER + MESSAGE_HEADER, RECORD_HEADER + first);
  }
  return readFragments(bytes);
}

/** A hello whose message is spread over records, or not there in full. */
function readFragments(bytes: Uint8Array): HelloReading {
  const start = gather(bytes, MESSAGE_HEADER);
  if (start.kind !== "gathered") return start;
  const length = messageLength(start.message, 0);
  if (typeof length !== "number") return length;
  const whole = gather(bytes, length);
  if (whole.kind !== "gathered") return whole;
  if (whole.more) return malformed("octets follow the ClientHello in its record");
  return parseClientHello(whole.message, MESSAGE_HEADER, length);
}

type Gathering = HelloReading | { readonly kind: "gathered"; readonly message: Uint8Array; readonly more: boolean };

/** The first `wanted` octets of the handshake message, taken out of as many records as it takes. */
function gather(bytes: Uint8Array, wanted: number): Gathering {
  if (bytes.length < RECORD_HEADER + wanted) return incomplete(bytes, RECORD_HEADER + wanted);
  const message = new Uint8Array(wanted);
  let filled = 0;
  let at = 0;
  for (;;) {
    const missing = wanted - filled;
    if (at + RECORD_HEADER > bytes.length) return incomplete(bytes, at + RECORD_HEADER + missing);
    const length = recordLength(bytes, at);
    if (typeof length !== "number") return length;
    const from = at + RECORD_HEADER;
    const here = Math.min(length, missing, bytes.length - from);
    message.set(bytes.subarray(from, from + here), filled);
    filled += here;
    if (filled === wanted) return { kind: "gathered", message, more: length > here };
    at = from + length;
    if (at > bytes.length) return incomplete(bytes, Math.min(at, bytes.length + wanted - filled));
  }
}

/** The length of the record at `at`, whose header is there in full. */
function recordLength(bytes: Uint8Array, at: number): number | HelloReading {
  const type = bytes[at] ?? 0;
  if (type !== TYPE_HANDSHAKE) return malformed(`a record of type ${type} interrupts the ClientHello`);
  if (bytes[at + 1] !== 3) return malformed(`a record has version ${bytes[at + 1] ?? 0}.${bytes[at + 2] ?? 0}`);
  const length = ((bytes[at + 3] ?? 0) << 8) | (bytes[at + 4] ?? 0);
  if (length === 0) return malformed("a handshake record is empty");
  return length > MAX_RECORD ? malformed(`a record has ${length} octets; ${MAX_RECORD} are allowed`) : length;
}

/** Octets of the handshake message at `at`, its header included. */
function messageLength(bytes: Uint8Array, at: number): number | HelloReading {
  const type = bytes[at] ?? 0;
  if (type !== TYPE_CLIENT_HELLO) return malformed(`the first handshake message has type ${type}, not ClientHello`);
  const length = MESSAGE_HEADER + (((bytes[at + 1] ?? 0) << 16) | ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0));
  return length > MAX_HELLO_BYTES ? malformed(`the ClientHello has ${length} octets; ${MAX_HELLO_BYTES} are allowed`) : length;
}

/** More is needed: at least up to `atLeast` octets in all. */
function incomplete(bytes: Uint8Array, atLeast: number): HelloReading {
  if (bytes.length >= MAX_HELLO_BYTES || atLeast > MAX_HELLO_BYTES) {
    return malformed(`the ClientHello and its record headers take more than ${MAX_HELLO_BYTES} octets`);
  }
  return { kind: "incomplete", atLeast };
}

function notHandshake(bytes: Uint8Array): HelloReading {
  const type = bytes[0] ?? 0;
  // change_cipher_spec, alert, application_data and heartbeat: TLS, but no way to begin.
  if (type >= 20 && type <= 24) {
    if (bytes.length < 2) return incomplete(bytes, 2);
    if (bytes[1] === 3) return malformed(`the connection starts with a record of type ${type}, not with a ClientHello`);
    return { kind: "not-tls", looksLike: "other" };
  }
  return looksLikeHttp(bytes);
}

function looksLikeHttp(bytes: Uint8Array): HelloReading {
  let shortest = Number.POSITIVE_INFINITY;
  for (const method of METHODS) {
    const shared = sharedPrefix(bytes, method);
    if (shared === method.length) return { kind: "not-tls", looksLike: "http" };
    if (shared === bytes.length) shortest = Math.min(shortest, method.length);
  }
  return shortest === Number.POSITIVE_INFINITY ? { kind: "not-tls", looksLike: "other" } : incomplete(bytes, shortest);
}

function sharedPrefix(bytes: Uint8Array, text: string): number {
  let at = 0;
  while (at < text.length && bytes[at] === text.charCodeAt(at)) at++;
  return at;
}

function malformed(problem: string): HelloReading {
  return { kind: "malformed", problem };
}
