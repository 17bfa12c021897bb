import { Cursor } from "./cursor.ts";
import { readExtensions } from "./extensions.ts";
import type { ClientHello, HelloReading } from "./types.ts";

const MESSAGE_HEADER = 4;
const RANDOM = 32;
const MAX_SESSION_ID = 32;

/** The ClientHello whose body is at [start, end) of `bytes` (RFC 8446 section 4.1.2; RFC 5246 section 7.4.1.2). */
export function parseClientHello(bytes: Uint8Array, start: number, end: number): HelloReading {
  const cursor = new Cursor(bytes, start, end);
  const legacyVersion = cursor.u16("legacy_version");
  cursor.take(RANDOM, "random");
  const sessionId = cursor.u8("session_id");
  if (sessionId > MAX_SESSION_ID) cursor.fail(`session_id has ${sessionId} octets`);
  cursor.take(sessionId, "session_id");
  const cipherSuites = cursor.numbers(cursor.u16("cipher_suites"), "cipher_suites");
  const compressions = cursor.u8("compression_methods");
  if (compressions === 0) cursor.fail("compression_methods is empty");
  cursor.take(compressions, "compression_methods");
  const extensions = readExtensions(cursor);
  if (cursor.problem !== undefined) return { kind: "malformed", problem: cursor.problem };
  const { serverName, alpn, signatureAlgorithms, ticketKeyName } = extensions;
  const versions = extensions.versions ?? [legacyVersion];
  const length = MESSAGE_HEADER + end - start;
  const hello: ClientHello = { serverName, versions, alpn, cipherSuites, signatureAlgorithms, length };
  return { kind: "hello", hello: ticketKeyName === undefined ? hello : { ...hello, ticketKeyName } };
}
