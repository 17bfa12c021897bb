/**
 * Clients on a host of their own: several at once, each one request after another, through the balancers that its address list names.
 * A request that fails is a failed request: it is not tried again. The next request of that client goes to the other balancer.
 * argv[2] is a JSON LoadPlan; every request is one line of JSON on standard output. Whatever comes on standard input makes all clients forget what
 * failed before.
 */
import { execFile } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import { connect, type TLSSocket } from "node:tls";

import type { ClientKind, LoadPlan, RequestRecord } from "./types.ts";

const plan = JSON.parse(process.argv[2] ?? "") as LoadPlan; // written by start-load.ts
const ca = readFileSync(plan.caFile, "utf8");
const nowMs = (): number => Number(process.hrtime.bigint() / 1000n) / 1000;

/** Balancers whose own /readyz says that they leave: whoever spreads clients over them (DNS, VRRP, a cloud's balancer) asks for it. */
const leaving = new Set<string>();

async function watchBalancer(name: string, address: string): Promise<never> {
  for (;;) {
    const status = await readyz(address);
    if (status === 503) leaving.add(name);
    if (status === 200) leaving.delete(name);
    await pause(plan.askEveryMs);
  }
}

function readyz(host: string): Promise<number | undefined> {
  return new Promise((resolve) => {
    const asking = httpRequest({ host, port: plan.balancerHealthPort, path: "/readyz", agent: false, timeout: 1000 }, (answer) => {
      answer.resume();
      resolve(answer.statusCode);
    });
    asking.on("timeout", () => asking.destroy());
    asking.on("error", () => resolve(undefined));
    asking.end();
  });
}

/** Which balancer a client uses: its first one, the other for a while after a failure. */
class Choice {
  readonly #first: number;
  #awayUntil = 0;

  constructor(first: number) {
    this.#first = first;
  }

  next(): { readonly name: string; readonly address: string } {
    const first = plan.balancers[this.#first % plan.balancers.length];
    const other = plan.balancers[(this.#first + 1) % plan.balancers.length];
    if (first === undefined || other === undefined) throw new Error("there are two balancers");
    const isAway = nowMs() < this.#awayUntil || leaving.has(first.name);
    return isAway && !leaving.has(other.name) ? other : first;
  }

  /** Forgets what failed. */
  anew(): void {
    this.#awayUntil = 0;
  }

  failed(name: string): void {
    this.#awayUntil = name === plan.balancers[this.#first % plan.balancers.length]?.name ? nowMs() + plan.stayAwayMs : 0;
  }
}

const choices: Choice[] = [];
process.stdin.on("data", () => choices.forEach((choice) => choice.anew()));

/** An open connection of a client that keeps it. */
interface Kept {
  readonly socket: TLSSocket;
  readonly balancer: string;
  readonly host: string;
  uses: number;
}

async function runClient(kind: ClientKind, index: number): Promise<never> {
  const choice = new Choice(index);
  choices.push(choice);
  let kept: Kept | undefined;
  for (let turn = index; ; turn++) {
    const host = plan.hosts[turn % plan.hosts.length] ?? "";
    if (kept !== undefined && (kept.socket.destroyed || kept.socket.readableEnded || leaving.has(kept.balancer))) {
      kept.socket.destroy();
      kept = undefined;
    }
    const balancer = kept === undefined ? choice.next() : { name: kept.balancer, address: "" };
    const s = nowMs();
    const base = { s, b: balancer.name, h: kept?.host ?? host, k: kind, c: index };
    try {
      if (kind === "curl") {
        say({ ...base, ...(await byCurl(balancer.address, host)), e: nowMs() });
      } else {
        kept ??= { socket: await open(kind, balancer.address, host), balancer: balancer.name, host, uses: 0 };
        const answer = await ask(kept.socket, kept.host);
        kept.uses += 1;
        say({ ...base, f: kept.socket.getPeerCertificate().fingerprint256, n: answer.node, u: kept.uses, e: nowMs() });
        if (kind !== "keep-alive" || answer.last || kept.uses >= plan.usesOfKept) {
          kept.socket.end();
          kept = undefined;
        }
      }
    } catch (error) {
      say({ ...base, e: nowMs(), x: codeOf(error), ...(kept === undefined ? {} : { u: kept.uses + 1 }) });
      kept?.socket.destroy();
      kept = undefined;
      choice.failed(balancer.name);
    }
    await pause(plan.thinkMs * (0.5 + Math.random()));
  }
}

const say = (record: RequestRecord): void => void process.stdout.write(`${JSON.stringify(record)}\n`);

function codeOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException; // what sockets and processes fail with
  return (code ?? message).slice(0, 200);
}

/** A connection whose certificate is verified for the name, by Node's own rules. */
function open(kind: ClientKind, address: string, servername: string): Promise<TLSSocket> {
  const version = kind === "tls12" ? "TLSv1.2" : "TLSv1.3";
  return new Promise((resolve, reject) => {
    const options = { host: address, port: plan.port, servername, ca, minVersion: version, maxVersion: version } as const;
    const socket = connect(options, () => {
      clearTimeout(timer);
      resolve(socket);
    });
    const timer = setTimeout(() => socket.destroy(new Error("handshake timed out")), plan.timeoutMs);
    socket.once("error", reject);
    socket.on("error", () => undefined); // after the first one
    socket.once("close", () => {
      clearTimeout(timer);
      reject(new Error("closed in the handshake"));
    });
  });
}

/** One GET; the answer must be whole, 200, and the page of that host. */
function ask(socket: TLSSocket, host: string): Promise<{ readonly node: string; readonly last: boolean }> {
  return new Promise((resolve, reject) => {
    let text = "";
    const settle = (end: () => void): void => {
      clearTimeout(timer);
      socket.off("data", read).off("close", closed);
      end();
    };
    const timer = setTimeout(() => settle(() => reject(new Error("answer timed out"))), plan.timeoutMs);
    const closed = (): void => settle(() => reject(new Error("closed before the whole answer")));
    const read = (chunk: Buffer): void => {
      text += chunk.toString("latin1");
      const end = text.indexOf("\r\n\r\n");
      const length = /^content-length: (\d+)/im.exec(text)?.[1];
      if (end < 0 || length === undefined || text.length < end + 4 + Number(length)) return;
      settle(() => judge(text, end));
    };
    const judge = (answer: string, end: number): void => {
      const head = answer.slice(0, end);
      if (!head.startsWith("HTTP/1.1 200 ")) return reject(new Error(head.slice(0, 20)));
      if (!answer.slice(end).includes(plan.marker)) return reject(new Error("another page"));
      resolve({ node: /^x-served-by: (\S+)/im.exec(head)?.[1] ?? "", last: /^connection: close/im.test(head) });
    };
    socket.on("data", read).on("close", closed);
    socket.write(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
  });
}

/** curl verifies as it always does; it prints the chain it saw. */
function byCurl(address: string, host: string): Promise<{ readonly f: string; readonly n: string }> {
  const seconds = String(plan.timeoutMs / 1000);
  const place = `${host}:${plan.port}`;
  const args = ["--silent", "--show-error", "--fail", "--max-time", seconds, "--cacert", plan.caFile, "--resolve", `${place}:${address}`];
  const written = "\n%{certs}%header{x-served-by}";
  return new Promise((resolve, reject) => {
    execFile("curl", [...args, "--write-out", written, `https://${place}/`], (error, stdout) => {
      if (error !== null) return reject(new Error(`curl ${error.code ?? error.message}`));
      if (!stdout.includes(plan.marker)) return reject(new Error("another page"));
      const pem = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/.exec(stdout)?.[0] ?? "";
      resolve({ f: new X509Certificate(pem).fingerprint256, n: stdout.slice(stdout.lastIndexOf("\n") + 1) });
    });
  });
}

process.stdout.on("error", () => process.exit(0)); // nobody listens any longer
const running = [
  ...plan.balancers.map(({ name, address }) => watchBalancer(name, address)),
  ...plan.clients.map((kind, index) => runClient(kind, index)),
];
await Promise.all(running);
