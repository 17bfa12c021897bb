import { connect, type Socket } from "node:net";

import { parseIpAddress, systemCode, type IpAddress } from "../base/index.ts";
import type { BalancerConfig } from "../config/index.ts";
import { proxyHeader, readHello } from "../handshake/index.ts";
import { abort } from "./abort.ts";
import { hashText } from "./choose.ts";
import { HeadBuffer } from "./head-buffer.ts";
import type { Member } from "./member.ts";
import type { NameRecord } from "./proof-book.ts";
import type { Router } from "./router.ts";
import { nodePort, type BalancerTuning } from "./settings.ts";

/** Where a connection came in. */
export interface Lane {
  readonly address: IpAddress;
  /** It listens on every address of the machine. */
  readonly wildcard: boolean;
  readonly bindingPort: number;
  readonly port: number;
  protocol: "http" | "https";
}

/** What ended a connection that reached no node. */
export type Refusal = "hello-timeout" | "hello-closed" | "no-node" | "connect-failed" | "overloaded";

/** What a connection needs of the table that it is in. */
export interface ConnectionHolder {
  readonly router: Router;
  readonly tuning: BalancerTuning;
  readonly balancer: BalancerConfig;
  /** Coarse monotonic milliseconds. */
  readonly now: number;
  /** A connection reached its node. */
  relaying(connection: Connection): void;
  /** A connection waits for its last octets to get out. */
  lingering(connection: Connection): void;
  /** Both sides of a connection are closed. */
  forget(connection: Connection): void;
  /** Counts a connection that reached no node. */
  refused(reason: Refusal, facts: { readonly client: string; readonly empty: boolean }): void;
  /** Counts a failed connection to a node and gives it none for a while. */
  nodeFailed(member: Member, code: string): void;
  /** Counts a connection that a node took and did not answer; after several in a row the node gets none for a while. */
  unanswered(member: Member, problem: string): void;
}

/** Octets that are kept while a node is looked for; a client that sends more is not read on until then. */
const MAX_HEAD = 65_536;
/** Less than one read, so that a paused socket stops after the next: more in flight only grows cold in the processor's caches. */
export const SOCKET_HIGH_WATER_MARK = 16_384;
/** Two reads: a side that is paused for every octet that waits stops and starts with each read, which costs more than the reading. */
const MAX_UNSENT = 131_072;
/** A connection on which the node spoke last, this long ago, waits for its client: it is idle. */
const IDLE_MS = 1_000;
/** A client that waits for a node that can be reached in no way is told after this that it is in vain. */
const LOST_MS = 10_000;
/** How long after a node's reset the client's is sent, so that what the node said before can still arrive. */
const LINGER_MS = 100;

const UPSTREAM = { allowHalfOpen: true, noDelay: true, highWaterMark: SOCKET_HIGH_WATER_MARK };

/** Failures of this machine, not of the node: out of ports, descriptors or memory. */
const OWN_FAILURES = new Set(["EADDRNOTAVAIL", "EMFILE", "ENFILE", "ENOBUFS", "ENOMEM"]);

/**
 * One client connection, from its first octet to its end: hello → choosing → connecting → asked → relaying → ending.
 * Until a node's first octet (asked) the ClientHello is kept: a node that ends or says nothing is passed over for another one, and the
 * client never knows. On plain-http ports a request may have been carried out, so that there only unmade connections are tried again.
 * This is the hot path: no timers, no pipes and no promises for a connection whose name is known; deadlines are kept by
 * ConnectionTable's sweeps.
 */
export class Connection {
  readonly #table: ConnectionHolder;
  readonly #lane: Lane;
  readonly #client: Socket;
  #upstream: Socket | undefined;
  #member: Member | undefined;
  #head: HeadBuffer | undefined;
  #name: NameRecord | undefined;
  #source: IpAddress | undefined;
  #tried: Member[] = [];
  #phase: "hello" | "choosing" | "connecting" | "asked" | "relaying" | "ending" = "hello";
  #clientEnded = false;
  #upstreamEnded = false;
  #nodeSpokeLast = false;
  #endAsked = false;
  /** Coarse time of the last octet, or of the start of the phase. */
  #activeAt: number;

  /**
   * Back-pressure: a side is paused when the other has too much that the kernel did not take, and goes on when it took all.
   * `drain` would not do: it is emitted after chunks that were never held up, too.
   */
  readonly #clientResumes = (): void => {
    if (this.#client.isPaused() && this.#upstream?.writableLength === 0) this.#client.resume();
  };
  readonly #upstreamResumes = (): void => {
    if (this.#upstream?.isPaused() === true && this.#client.writableLength === 0) this.#upstream.resume();
  };

  constructor(table: ConnectionHolder, lane: Lane, client: Socket) {
    this.#table = table;
    this.#lane = lane;
    this.#client = client;
    this.#activeAt = table.now;
    client.on("data", (chunk: Buffer) => this.#fromClient(chunk));
    client.on("end", () => this.#clientEnd());
    client.on("error", () => abort(this.#upstream));
    client.on("close", () => this.#clientClosed());
    if (lane.protocol === "http") this.#choose();
  }

  get member(): Member | undefined {
    return this.#member;
  }

  #fromClient(chunk: Buffer): void {
    if (this.#phase === "relaying") {
      this.#activeAt = this.#table.now;
      this.#nodeSpokeLast = false;
      const upstream = this.#upstream;
      upstream?.write(chunk, this.#clientResumes);
      if (upstream !== undefined && upstream.writableLength > MAX_UNSENT) this.#client.pause();
      return;
    }
    if (this.#phase === "ending") return;
    if (this.#phase === "asked") this.#upstream?.write(chunk);
    if (this.#head === undefined) this.#head = new HeadBuffer(chunk);
    else this.#head.append(chunk);
    if (this.#phase === "hello") this.#readHello(this.#head);
    else if (this.#head.length > MAX_HEAD) this.#tooMuchToKeep();
  }

  #tooMuchToKeep(): void {
    if (this.#phase === "asked") this.#relay();
    else this.#client.pause();
  }

  /** Learns the name without ending TLS. What is no ClientHello goes on to a node too: it answers with the right alert and journals it. */
  #readHello(head: HeadBuffer): void {
    const reading = readHello(head.bytes);
    if (reading.kind === "incomplete" && head.length <= MAX_HEAD) return;
    if (reading.kind !== "hello" || reading.hello.serverName.kind !== "name") return this.#choose();
    const { name, wait } = this.#table.router.learn(reading.hello.serverName.host, this.#lane.bindingPort);
    this.#name = name;
    if (wait === undefined) return this.#choose();
    this.#phase = "choosing";
    void this.#chooseAfter(wait);
  }

  async #chooseAfter(wait: Promise<void>): Promise<void> {
    await wait;
    if (this.#phase === "choosing") this.#choose();
  }

  #choose(): void {
    const member = this.#pick(this.#tried, false);
    if (member === undefined) return this.refuse(this.#tried.length === 0 ? "no-node" : "connect-failed");
    this.#connect(member);
  }

  #pick(tried: readonly Member[], onlyGood: boolean): Member | undefined {
    const { router, tuning } = this.#table;
    return tried.length < tuning.maxTries ? router.pick({ name: this.#name, key: this.#key(), tried, onlyGood }) : undefined;
  }

  #key(): number {
    const { remoteAddress = "", remotePort = 0 } = this.#client;
    const source = this.#sourceAddress(remoteAddress);
    if (this.#table.balancer.mode === "source") return hashText(source);
    return hashText(`${source} ${remotePort} ${this.#lane.address} ${this.#lane.port}`);
  }

  #sourceAddress(remoteAddress: string): string {
    this.#source ??= parseIpAddress(remoteAddress);
    return this.#source ?? "";
  }

  #connect(member: Member): void {
    this.#phase = "connecting";
    this.#activeAt = this.#table.now;
    this.#member = member;
    member.connections += 1;
    const port = nodePort(member.config, this.#lane.bindingPort);
    const upstream = connect({ ...UPSTREAM, host: member.address, port });
    this.#upstream = upstream;
    upstream.on("connect", () => this.#connected(member, upstream));
    upstream.on("data", (chunk: Buffer) => this.#fromNode(chunk, upstream));
    upstream.on("end", () => this.#upstreamEnd(member, upstream));
    upstream.on("error", (error) => this.#upstreamError(error, member, upstream));
    upstream.on("close", () => {
      member.connections -= 1;
      if (this.#client.destroyed) this.#table.forget(this);
    });
  }

  #connected(member: Member, upstream: Socket): void {
    member.totals.connections += 1;
    this.#activeAt = this.#table.now;
    const first = this.#firstOctets();
    if (this.#lane.protocol === "https" && this.#head !== undefined && this.#head.length <= MAX_HEAD) this.#phase = "asked";
    else this.#relay();
    if (first !== undefined) upstream.write(first);
    if (this.#clientEnded) upstream.end();
    else if (this.#client.isPaused()) this.#client.resume();
  }

  /** There is no way back to another node from here on. */
  #relay(): void {
    this.#phase = "relaying";
    this.#head = undefined;
    this.#table.relaying(this);
  }

  #firstOctets(): Buffer | undefined {
    const head = this.#head?.bytes;
    if (!this.#table.balancer.proxyProtocol) return head;
    const header = proxyHeader(this.#addresses());
    return head === undefined ? Buffer.from(header.buffer) : Buffer.concat([header, head]);
  }

  /** The real ends of the client's connection; undefined once the client is gone. */
  #addresses(): Parameters<typeof proxyHeader>[0] {
    const { remotePort } = this.#client;
    const destination = this.#lane.wildcard ? parseIpAddress(this.#client.localAddress ?? "") : this.#lane.address;
    if (this.#source === undefined || destination === undefined || remotePort === undefined) return undefined;
    return { source: { address: this.#source, port: remotePort }, destination: { address: destination, port: this.#lane.port } };
  }

  #fromNode(chunk: Buffer, upstream: Socket): void {
    if (this.#phase === "asked") this.#answered();
    this.#activeAt = this.#table.now;
    this.#nodeSpokeLast = true;
    this.#client.write(chunk, this.#upstreamResumes);
    if (this.#client.writableLength > MAX_UNSENT) upstream.pause();
  }

  #answered(): void {
    if (this.#member !== undefined) this.#member.unanswered = 0;
    this.#relay();
  }

  #clientEnd(): void {
    this.#clientEnded = true;
    if (this.#phase === "relaying" || this.#phase === "asked") this.#upstream?.end();
    else if (this.#phase === "hello") this.refuse("hello-closed");
  }

  #upstreamEnd(member: Member, upstream: Socket): void {
    if (this.#phase === "asked" && this.#handOver(member, upstream, "it ended the connection")) return;
    this.#upstreamEnded = true;
    this.#client.end();
  }

  #upstreamError(error: Error, member: Member, upstream: Socket): void {
    if (this.#phase === "connecting") return this.#connectFailed(systemCode(error) ?? error.message, member, upstream);
    if (this.#phase === "asked" && this.#handOver(member, upstream, systemCode(error) ?? error.message)) return;
    if (this.#phase !== "relaying" || this.#upstreamEnded) return;
    this.#phase = "ending";
    this.#activeAt = this.#table.now;
    this.#client.pause();
    this.#table.lingering(this);
  }

  /**
   * The node took the connection and said nothing to the ClientHello: another one is asked, if there is one. False: there is none, and
   * this connection goes on as it is. A client that is gone needs none.
   */
  #handOver(member: Member, upstream: Socket, problem: string): boolean {
    const next = this.#clientEnded || this.#client.destroyed ? undefined : this.#pick([...this.#tried, member], true);
    if (!this.#client.destroyed) this.#table.unanswered(member, problem);
    if (next === undefined) {
      this.#relay();
      return false;
    }
    this.#tried.push(member);
    for (const event of ["data", "end", "error"]) upstream.removeAllListeners(event);
    upstream.on("error", () => undefined); // nothing of it counts any longer
    abort(upstream);
    this.#connect(next);
    return true;
  }

  /** Nothing was answered yet, so another node may be tried. */
  #connectFailed(code: string, member: Member, upstream: Socket): void {
    upstream.removeAllListeners("data");
    this.#upstream = undefined;
    this.#member = undefined;
    this.#tried.push(member);
    if (!OWN_FAILURES.has(code)) this.#table.nodeFailed(member, code);
    if (this.#client.destroyed) return this.#table.forget(this);
    this.#choose();
  }

  #clientClosed(): void {
    const upstream = this.#upstream;
    if (this.#phase !== "relaying") this.#phase = "ending";
    if (!(this.#clientEnded && this.#upstreamEnded)) abort(upstream);
    if (upstream === undefined || upstream.destroyed) this.#table.forget(this);
  }

  /** Ends a connection that reached no node, and counts why. Octets the client sent stay unanswered: this is a layer-4 proxy. */
  refuse(reason: Refusal): void {
    if (this.#phase === "ending") return;
    this.#phase = "ending";
    const empty = reason.startsWith("hello") && this.#head === undefined;
    this.#table.refused(reason, { client: this.#client.remoteAddress ?? "", empty });
    this.#head = undefined;
    this.#upstream?.destroy();
    if (reason === "hello-closed") this.#client.end(() => this.#client.destroy());
    else abort(this.#client);
  }

  /** Called every 100 ms before the connection relays, and while a reset waits for the last octets to get out. */
  sweepPending(now: number): void {
    const age = now - this.#activeAt;
    if (this.#phase === "hello" && age >= this.#table.tuning.helloTimeoutMs) return this.refuse("hello-timeout");
    if (this.#phase === "connecting" && age >= this.#table.balancer.connectTimeoutMs)
      this.#upstream?.destroy(new Error("connect timed out"));
    if (this.#phase === "asked" && age >= this.#table.tuning.answerTimeoutMs) this.#unanswered();
    if (this.#phase === "ending" && age > LINGER_MS) abort(this.#client);
  }

  #unanswered(): void {
    const { answerTimeoutMs } = this.#table.tuning;
    if (this.#member === undefined || this.#upstream === undefined) return;
    this.#handOver(this.#member, this.#upstream, `no answer within ${answerTimeoutMs} ms`);
  }

  /** Called about every second while the connection relays. */
  sweepRelaying(now: number): void {
    const ends = (this.#member?.endConnectionsAt ?? Number.POSITIVE_INFINITY) <= now;
    if (ends || now - this.#activeAt >= this.#table.balancer.idleTimeoutMs) return this.end();
    if (this.#member?.health === "unreachable") this.#leaveLost(this.#member, now - this.#activeAt);
  }

  /** A client must not put its next request to a node that nobody reaches, when another would answer it; nor wait for one for minutes. */
  #leaveLost(member: Member, silentMs: number): void {
    const isIdle = this.#nodeSpokeLast && silentMs >= IDLE_MS;
    const isInVain = !member.tcp && silentMs >= LOST_MS;
    if (!(isIdle || isInVain) || !this.#table.router.canReplace(member)) return;
    if (isIdle) this.#client.destroySoon();
    else abort(this.#client);
    abort(this.#upstream);
  }

  /** Ends both sides: what is buffered still goes out, and on the second call not even that is waited for. */
  end(): void {
    for (const socket of [this.#client, this.#upstream]) {
      if (this.#endAsked) socket?.destroy();
      else socket?.destroySoon();
    }
    this.#endAsked = true;
  }
}
