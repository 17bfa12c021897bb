import { X509Certificate } from "node:crypto";

/** `[3] EXPLICIT Certificate`, the peer's leaf, in OpenSSL's SSL_SESSION (i2d_SSL_SESSION). */
const PEER = 0xa3;
const SEQUENCE = 0x30;

/**
 * The server's leaf out of a serialised client session. Node shows no peer certificate on a resumed connection, because
 * a session keeps the leaf but not the chain that Node reads it from. undefined when the session holds none.
 */
export function certificateOfSession(given: Buffer): X509Certificate | undefined {
  const session = withoutWrapping(given);
  const outer = header(session, 0);
  if (outer === undefined || session[0] !== SEQUENCE) return undefined;
  for (let at = outer.start; at < outer.end;) {
    const inner = header(session, at);
    if (inner === undefined) return undefined;
    if (session[at] === PEER) return new X509Certificate(session.subarray(inner.start, inner.end));
    at = inner.end;
  }
  return undefined;
}

/** What newer versions of Node put before a session: this, the length of a server name in two octets, and the name. */
const WRAPPING = Buffer.from("\0nodejs:tls:session:1\0", "latin1");

function withoutWrapping(session: Buffer): Buffer {
  if (!session.subarray(0, WRAPPING.length).equals(WRAPPING) || session.length < WRAPPING.length + 2) return session;
  return session.subarray(WRAPPING.length + 2 + session.readUInt16BE(WRAPPING.length));
}

/** Where the contents of the DER value at `at` start and end; undefined when they leave the buffer. */
function header(bytes: Buffer, at: number): { readonly start: number; readonly end: number } | undefined {
  const first = bytes[at + 1];
  if (first === undefined) return undefined;
  const more = first < 0x80 ? 0 : first & 0x7f;
  if (more > 4 || at + 2 + more > bytes.length) return undefined;
  const length = more === 0 ? first & 0x7f : bytes.readUIntBE(at + 2, more);
  const start = at + 2 + more;
  return start + length > bytes.length ? undefined : { start, end: start + length };
}
