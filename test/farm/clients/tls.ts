import { once } from "node:events";
import { connect, type ConnectionOptions, type PeerCertificate, type TLSSocket } from "node:tls";

/** What one handshake of Node's own client saw; `error` holds OpenSSL's or the system's code. */
export type TlsAnswer =
  | {
      readonly kind: "served";
      /** SHA-256 fingerprint of the leaf, as hex with colons. */
      readonly fingerprint: string;
      readonly names: readonly string[];
      readonly protocol: string | null;
      readonly resumed: boolean;
    }
  | { readonly kind: "failed"; readonly error: string };

const TIMEOUT_MS = 10_000;

/** An open, verified connection. @throws the handshake's error */
export async function openTls(options: ConnectionOptions): Promise<TLSSocket> {
  const socket = connect({ host: "127.0.0.1", ALPNProtocols: ["http/1.1"], ...options });
  socket.setTimeout(TIMEOUT_MS, () => socket.destroy(new Error("the handshake takes too long")));
  await once(socket, "secureConnect");
  socket.setTimeout(0);
  return socket;
}

/** One handshake, verified unless the options say otherwise. Never rejects. */
export async function handshake(options: ConnectionOptions): Promise<TlsAnswer> {
  try {
    const socket = await openTls(options);
    const certificate: PeerCertificate = socket.getPeerCertificate();
    const names = (certificate.subjectaltname ?? "").split(", ").map((name) => name.replace(/^DNS:/, ""));
    const answer: TlsAnswer = {
      kind: "served",
      fingerprint: certificate.fingerprint256,
      names,
      protocol: socket.getProtocol(),
      resumed: socket.isSessionReused(),
    };
    socket.resume().end(); // in order: a socket that is destroyed here may never have sent its Finished
    await once(socket, "close");
    return answer;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException; // what 'error' carries
    return { kind: "failed", error: code ?? message };
  }
}

/** Asks for a path over an open connection that stays open. @returns status line and body so far */
export async function request(socket: TLSSocket, host: string, path = "/"): Promise<string> {
  let answer = "";
  const read = (chunk: Buffer): void => {
    answer += chunk.toString("latin1");
  };
  socket.on("data", read);
  socket.write(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
  try {
    const closed = new AbortController();
    socket.once("close", () => closed.abort(new Error("the connection was closed without a whole answer")));
    const signal = AbortSignal.any([closed.signal, AbortSignal.timeout(TIMEOUT_MS)]);
    while (!isWhole(answer)) await once(socket, "data", { signal });
    return answer;
  } finally {
    socket.off("data", read);
  }
}

function isWhole(answer: string): boolean {
  const end = answer.indexOf("\r\n\r\n");
  const length = /^content-length: (\d+)/im.exec(answer)?.[1];
  return end > 0 && length !== undefined && answer.length >= end + 4 + Number(length);
}
