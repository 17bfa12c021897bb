import type { Cursor } from "./cursor.ts";
import { ABSENT, printable, serverNameOnWire } from "./server-name.ts";
import type { ServerName } from "./types.ts";

const SERVER_NAME = 0;
const SIGNATURE_ALGORITHMS = 13;
const ALPN = 16;
const SESSION_TICKET = 35;
const PRE_SHARED_KEY = 41;
const SUPPORTED_VERSIONS = 43;

const NAME_TYPE_HOST = 0;
const TICKET_KEY_NAME = 16;
const NONE: readonly never[] = [];

/** What certfarm reads of a ClientHello's extensions. */
export interface Extensions {
  serverName: ServerName;
  versions: readonly number[] | undefined;
  alpn: readonly string[];
  signatureAlgorithms: readonly number[];
  ticketKeyName: Uint8Array | undefined;
}

/**
 * `seenIn[type]` is the number of the last hello that had this extension: tells duplicates apart in constant time, without
 * an allocation a hello and without a cost that grows with how many extensions a hostile client sends.
 */
const seenIn = new Uint32Array(65_536);
let helloNumber = 0;

/** Reads the extensions that end a ClientHello; problems are left in the cursor. A TLS 1.2 client may send none at all. */
export function readExtensions(cursor: Cursor): Extensions {
  const found: Extensions = { serverName: ABSENT, versions: undefined, alpn: NONE, signatureAlgorithms: NONE, ticketKeyName: undefined };
  if (cursor.done) return found;
  const end = cursor.end;
  cursor.fills(cursor.u16("extensions"), "extensions");
  startSeen();
  while (!cursor.done) {
    const type = cursor.u16("an extension's type");
    const size = cursor.u16("an extension's length");
    const start = cursor.take(size, "an extension");
    if (seenIn[type] === helloNumber) cursor.fail(`extension ${type} is there twice`);
    seenIn[type] = helloNumber;
    if (cursor.problem !== undefined) break;
    if (type === PRE_SHARED_KEY && cursor.at < end) cursor.fail("pre_shared_key is not the last extension");
    readOne(cursor, found, { type, start, stop: start + size });
    cursor.end = end;
  }
  return found;
}

function startSeen(): void {
  helloNumber = (helloNumber + 1) >>> 0;
  if (helloNumber !== 0) return;
  seenIn.fill(0); // after 2^32 hellos the numbers begin again
  helloNumber = 1;
}

/** Reads an extension that matters at [start, stop) and sees that it ends there; the cursor stands at `stop` before and after. */
function readOne(cursor: Cursor, found: Extensions, place: { type: number; start: number; stop: number }): void {
  cursor.at = place.start;
  cursor.end = place.stop;
  switch (place.type) {
    case SERVER_NAME:
      found.serverName = readServerName(cursor);
      break;
    case SIGNATURE_ALGORITHMS:
      found.signatureAlgorithms = cursor.numbers(cursor.u16("signature_algorithms"), "signature_algorithms");
      break;
    case ALPN:
      found.alpn = readProtocols(cursor);
      break;
    case SUPPORTED_VERSIONS:
      found.versions = cursor.numbers(cursor.u8("supported_versions"), "supported_versions");
      break;
    case SESSION_TICKET:
      // A client with a TLS 1.2 ticket and a TLS 1.3 identity would resume the latter, which comes last and overwrites this.
      found.ticketKeyName = keyName(cursor, place.start, place.stop);
      cursor.at = place.stop;
      break;
    case PRE_SHARED_KEY:
      found.ticketKeyName = readFirstIdentity(cursor) ?? found.ticketKeyName;
      break;
    default:
      cursor.at = place.stop;
  }
  if (cursor.at !== place.stop) cursor.fail(`octets follow the content of extension ${place.type}`);
}

/** RFC 6066 section 3. What is wrong with the name itself makes it invalid; only broken framing is the cursor's problem. */
function readServerName(cursor: Cursor): ServerName {
  const length = cursor.u16("server_name");
  cursor.fills(length, "server_name");
  if (length === 0) cursor.fail("server_name is an empty list");
  let name = ABSENT;
  while (!cursor.done) {
    const type = cursor.u8("a name's type");
    const size = cursor.u16("a name's length");
    const start = cursor.take(size, "a name");
    // Names of other types are passed over: RFC 6066 promises that they begin with their length, too.
    if (cursor.problem !== undefined || type !== NAME_TYPE_HOST) continue;
    const sent = serverNameOnWire(cursor.text(start, start + size));
    name = name.kind === "absent" ? sent : severalNames(name, sent);
  }
  return name;
}

function severalNames(first: ServerName, second: ServerName): ServerName {
  const shown = [first, second].map((name) => (name.kind === "name" ? name.host : name.kind === "invalid" ? name.shown : "")).join(", ");
  return { kind: "invalid", shown: printable(shown), problem: "several host names were sent; one is allowed (RFC 6066 section 3)" };
}

/** RFC 7301 section 3.1. */
function readProtocols(cursor: Cursor): readonly string[] {
  const length = cursor.u16("ALPN");
  cursor.fills(length, "ALPN");
  if (length === 0) cursor.fail("ALPN is an empty list");
  const protocols: string[] = [];
  while (!cursor.done) {
    const size = cursor.u8("a protocol's length");
    if (size === 0) cursor.fail("ALPN holds an empty protocol");
    const start = cursor.take(size, "a protocol");
    if (cursor.problem === undefined) protocols.push(cursor.text(start, start + size));
  }
  return protocols;
}

/** RFC 8446 section 4.2.11: identities, each with its age, then as many binders. */
function readFirstIdentity(cursor: Cursor): Uint8Array | undefined {
  const end = cursor.end;
  const size = cursor.u16("identities");
  const identitiesEnd = cursor.at + size;
  if (identitiesEnd > end || size < 7) cursor.fail("pre_shared_key's identities have a wrong length");
  let first: Uint8Array | undefined;
  let identities = 0;
  while (cursor.problem === undefined && cursor.at < identitiesEnd) {
    const length = cursor.u16("an identity's length");
    if (length === 0) cursor.fail("an identity is empty");
    const start = cursor.take(length, "an identity");
    cursor.take(4, "an identity's age");
    if (identities++ === 0) first = keyName(cursor, start, start + length);
  }
  if (cursor.problem === undefined && cursor.at !== identitiesEnd) cursor.fail("pre_shared_key's identities have a wrong length");
  readBinders(cursor, identities);
  return first;
}

function readBinders(cursor: Cursor, identities: number): void {
  cursor.fills(cursor.u16("binders"), "binders");
  let binders = 0;
  while (!cursor.done) {
    const length = cursor.u8("a binder's length");
    if (length < 32) cursor.fail("a binder is too short");
    cursor.take(length, "a binder");
    binders++;
  }
  if (binders !== identities) cursor.fail(`${identities} identities have ${binders} binders`);
}

/** The ticket key's name at the start of a ticket (RFC 5077 section 4); undefined when the ticket is too short for one. */
function keyName(cursor: Cursor, start: number, stop: number): Uint8Array | undefined {
  const whole = cursor.problem === undefined && stop - start >= TICKET_KEY_NAME;
  return whole ? cursor.bytes.subarray(start, start + TICKET_KEY_NAME) : undefined;
}
