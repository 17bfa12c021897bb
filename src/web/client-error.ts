import type { Duplex } from "node:stream";

/** What a broken request was. */
export type ClientErrorKind = "tls-on-plain-port" | "header-too-large" | "timeout" | "malformed" | "gone";

/** `unexpected_message` as a fatal alert in a TLS record: what a TLS client understands. */
const FATAL_ALERT = Buffer.from([0x15, 0x03, 0x01, 0x00, 0x02, 0x02, 0x0a]);

const ANSWERS: Readonly<Record<Exclude<ClientErrorKind, "tls-on-plain-port" | "gone">, string>> = {
  "header-too-large": "431 Request Header Fields Too Large",
  timeout: "408 Request Timeout",
  malformed: "400 Bad Request",
};

/**
 * For a server's `clientError` event: answers what was no HTTP request and closes. TLS on a plain port gets a TLS alert, so
 * that the client sees a TLS error at once instead of garbage. Returns what it was, to be counted.
 */
export function answerClientError(error: NodeJS.ErrnoException, socket: Duplex, rawPacket: Buffer | undefined): ClientErrorKind {
  const kind = kindOf(error, socket, rawPacket);
  if (kind === "gone") socket.destroy();
  else {
    socket.on("error", () => undefined);
    socket.end(kind === "tls-on-plain-port" ? FATAL_ALERT : page(ANSWERS[kind]));
    // The rest of what the client sends is read away, for a moment: closing on unread bytes would reset the connection before the answer arrives.
    socket.resume();
    const end = setTimeout(() => socket.destroy(), LINGER_MS);
    end.unref();
    socket.once("close", () => clearTimeout(end));
  }
  return kind;
}

const LINGER_MS = 1_000;

function kindOf(error: NodeJS.ErrnoException, socket: Duplex, rawPacket: Buffer | undefined): ClientErrorKind {
  if (error.code === "ECONNRESET" || error.code === "EPIPE" || !socket.writable) return "gone";
  if (error.code === "HPE_HEADER_OVERFLOW") return "header-too-large";
  if (error.code === "ERR_HTTP_REQUEST_TIMEOUT") return "timeout";
  // A TLS record of a handshake: type 22, version 3.x.
  return rawPacket?.[0] === 0x16 && rawPacket[1] === 0x03 ? "tls-on-plain-port" : "malformed";
}

function page(status: string): string {
  const body = `${status}\n`;
  return `HTTP/1.1 ${status}\r\nContent-Type: text/plain\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`;
}
