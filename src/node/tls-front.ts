import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";

import { alertRecord, describeHello, type AlertName, type ClientHello, type RefusalCode } from "../handshake/index.ts";
import type { ConnectionFacts } from "../web/index.ts";
import type { ConnectionRegister } from "./connections.ts";
import { PROOF_ALPN } from "./dial-self.ts";
import { describeFailure, isClientCertificateFailure } from "./handshake-failure.ts";
import { localAddress, peerAddress, type ClientAddress, type HelloIntake, type IntakeResult } from "./hello-intake.ts";
import type { HttpServers } from "./http-servers.ts";
import type { LiveName } from "./live-name.ts";
import type { LiveNames, NameAnswer } from "./live-names.ts";
import type { RefusalJournal } from "./refusal-journal.ts";

/** What the front works with. */
export interface TlsFrontParts {
  readonly intake: HelloIntake;
  readonly journal: RefusalJournal;
  readonly connections: ConnectionRegister;
  readonly http: () => HttpServers | undefined;
  /** Called for every handshake that ended well. */
  readonly noteWarm: () => void;
}

/** A connection between its ClientHello and the end of its handshake. */
interface Handshake {
  readonly hello: ClientHello;
  readonly client: ClientAddress;
  readonly bindingPort: number;
  readonly local: string;
}

interface Refusal {
  readonly reason: RefusalCode;
  readonly alert?: AlertName;
  readonly detail: string;
}

/** What is known of a connection when it is refused. */
type About = Partial<Handshake> & Pick<Handshake, "client" | "local">;

/** How long a refused client may take to read its alert. */
const LINGER_MS = 1_000;

const ALERT_OF: Partial<Record<RefusalCode, AlertName>> = {
  "malformed-hello": "decode_error",
  "untrusted-proxy-header": "decode_error",
  "not-tls": "unexpected_message",
  "hello-timeout": "internal_error",
};

const HTTP_ON_TLS_TEXT = "This port speaks HTTPS. Use https:// in the address, not http://.\n";
const HTTP_ON_TLS =
  `HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\nContent-Length: ${HTTP_ON_TLS_TEXT.length}\r\n\r\n` +
  HTTP_ON_TLS_TEXT;

/** Ends TLS: takes raw connections, gives each the TLS server of its name or a real alert, and hands decrypted ones to HTTP. */
export class TlsFront {
  readonly #parts: TlsFrontParts;
  /** By raw socket. */
  readonly #handshakes = new Map<Socket, Handshake>();
  #liveNames: LiveNames | undefined;
  #served = 0;
  #resumed = 0;

  constructor(parts: TlsFrontParts) {
    this.#parts = parts;
  }

  /** Where names are found from now on; their TLS servers call `secure` and `failed`. */
  use(liveNames: LiveNames): void {
    this.#liveNames = liveNames;
  }

  counts(): { readonly served: number; readonly resumed: number } {
    return { served: this.#served, resumed: this.#resumed };
  }

  accept(socket: Socket, bindingPort: number): void {
    socket.on("error", ignoreReset);
    if (this.#parts.connections.add(socket)) return this.#parts.intake.take(socket, (result) => this.#greet(socket, result, bindingPort));
    const client = { address: peerAddress(socket), port: socket.remotePort ?? 0 };
    const refusal: Refusal = { reason: "overloaded", alert: "internal_error", detail: "limits.maxConnections is reached" };
    this.#refuse(socket, refusal, { client, local: `${localAddress(socket)}:${bindingPort}` });
  }

  readonly secure = (socket: TLSSocket, live: LiveName): void => {
    const handshake = this.#claim(socket);
    const http = this.#parts.http();
    if (handshake === undefined || http === undefined) return void socket.destroy();
    if (!isOwnProof(handshake)) {
      this.#served += 1;
      if (socket.isSessionReused()) this.#resumed += 1;
      this.#parts.noteWarm();
    }
    http.take(socket, connectionFacts(handshake, live, socket), socket.alpnProtocol === "h2" ? "h2" : "http/1.1");
  };

  readonly failed = (error: Error, socket: TLSSocket): void => {
    const handshake = this.#claim(socket);
    const reason: RefusalCode = isClientCertificateFailure(error) ? "client-certificate-refused" : "handshake-failed";
    if (handshake !== undefined) this.#journal({ reason, detail: describeFailure(error) }, handshake);
    socket.destroy();
  };

  #greet(socket: Socket, result: IntakeResult, bindingPort: number): void {
    const address = localAddress(socket);
    const local = `${address}:${bindingPort}`;
    if (result.kind === "refused") return this.#refuse(socket, result, { client: result.client, local });
    const { hello, client, bytes } = result;
    const handshake: Handshake = { hello, client, bindingPort, local };
    const question = { serverName: hello.serverName, address, port: bindingPort };
    const { ticketKeyName } = hello;
    const answer = this.#liveNames?.find(ticketKeyName === undefined ? question : { ...question, ticketKeyName });
    if (answer === undefined)
      return this.#refuse(socket, { reason: "no-row", alert: "internal_error", detail: "the node is starting" }, handshake);
    if (!(answer instanceof Promise)) return this.#proceed(socket, answer, handshake, bytes);
    void answer.then((settled) => this.#proceed(socket, settled, handshake, bytes)); // find() never rejects
  }

  #proceed(socket: Socket, answer: NameAnswer, handshake: Handshake, bytes: Buffer): void {
    if (socket.destroyed) return;
    if (answer.kind === "refused") {
      const detail = answer.trail.at(-1)?.because ?? answer.reason;
      return this.#refuse(socket, { reason: answer.reason, alert: answer.alert, detail }, handshake);
    }
    this.#handshakes.set(socket, handshake);
    socket.once("close", () => {
      if (!this.#handshakes.delete(socket)) return;
      this.#journal({ reason: "handshake-failed", detail: "the client closed the connection during the handshake" }, handshake);
    });
    socket.unshift(bytes);
    answer.live.server.emit("connection", socket);
  }

  #claim(socket: TLSSocket): Handshake | undefined {
    const raw = rawSocketOf(socket);
    if (raw === undefined) return undefined;
    const handshake = this.#handshakes.get(raw);
    this.#handshakes.delete(raw);
    return handshake;
  }

  #refuse(socket: Socket, refusal: Refusal, about: About): void {
    const alert = refusal.alert ?? ALERT_OF[refusal.reason];
    this.#journal(alert === undefined ? refusal : { ...refusal, alert }, about);
    endWith(socket, refusal.reason === "plaintext-http" ? HTTP_ON_TLS : alert === undefined ? undefined : alertRecord(alert));
  }

  #journal(refusal: Refusal, about: About): void {
    if (isOwnProof(about)) return;
    const { hello, client, local } = about;
    const name = hello?.serverName;
    this.#parts.journal.add({
      reason: refusal.reason,
      client: client.address.includes(":") ? `[${client.address}]:${client.port}` : `${client.address}:${client.port}`,
      local,
      ...(hello === undefined ? { versions: [], alpn: [] } : describeHello(hello)),
      ...(name === undefined || name.kind === "absent" ? {} : { serverName: name.kind === "name" ? name.host : name.shown }),
      ...(refusal.alert === undefined ? {} : { alert: refusal.alert }),
      detail: refusal.detail,
    });
  }
}

function connectionFacts(handshake: Handshake, live: LiveName, socket: TLSSocket): ConnectionFacts {
  const name = handshake.hello.serverName;
  const subject = socket.authorized ? socket.getPeerCertificate().subject?.CN : undefined;
  return {
    protocol: "https",
    bindingPort: handshake.bindingPort,
    clientAddress: handshake.client.address,
    clientPort: handshake.client.port,
    certificateNames: live.certificateNames,
    tlsVersion: socket.getProtocol() === "TLSv1.3" ? "1.3" : "1.2",
    ...(live.clientRule === undefined ? {} : { clientRule: live.clientRule }),
    ...(name.kind === "name" ? { serverName: name.host } : {}),
    ...(typeof subject === "string" ? { clientSubject: subject } : {}),
  };
}

/** A handshake of the node with itself: the mark counts only from an address that the node itself has. */
const isOwnProof = ({ hello, client, local }: About): boolean =>
  hello?.alpn[0] === PROOF_ALPN && local.slice(0, local.lastIndexOf(":")) === client.address;

/** Writes a last word, if any, and lets the client read it before the connection goes. */
function endWith(socket: Socket, lastWord: Uint8Array | string | undefined): void {
  if (socket.destroyed) return;
  if (lastWord === undefined) return void socket.destroy();
  // Not the socket's own time-out: whatever the client sends would begin it anew.
  const deadline = setTimeout(() => socket.destroy(), LINGER_MS).unref();
  socket.once("close", () => clearTimeout(deadline));
  socket.once("end", () => socket.destroy());
  socket.end(lastWord);
  socket.resume();
}

/**
 * The socket that a secure one was made of. Node has kept it in this field since its first TLSSocket, though it documents none; to
 * find it by addresses would cost four system calls a connection, and fails once the connection is gone.
 */
const rawSocketOf = (socket: TLSSocket): Socket | undefined => (socket as TLSSocket & { readonly _parent?: Socket })._parent;

function ignoreReset(): void {
  // A reset shows as 'close', where the connection is accounted for.
}
