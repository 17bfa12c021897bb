import { Agent } from "node:http";

import type { Clock, Log } from "../base/index.ts";
import { healthGet, type HealthAnswer } from "./health-get.ts";
import type { Member, MemberHealth } from "./member.ts";
import { FAILED, PROVED, UNKNOWN, type Proof, type ProofBook } from "./proof-book.ts";
import { parseProofFeed, saysDraining } from "./proof-feed.ts";
import { settleDrain } from "./roster.ts";
import { nodePort, type BalancerSettings, type BalancerTuning } from "./settings.ts";
import { tcpCheck } from "./tcp-check.ts";

/** What polls share. */
export interface PollContext {
  readonly book: ProofBook;
  readonly tuning: BalancerTuning;
  readonly clock: Clock;
  readonly log: Log;
  readonly settings: () => BalancerSettings;
}

const READYZ_MAX_BYTES = 64 * 1024;
/** About 50,000 changes: reading more in one go would hold up the connections. */
const PROOFS_MAX_BYTES = 4 * 1024 * 1024;
/** A node that is ready gets a TCP check with every fifth poll, another one with each. */
const TCP_CHECK_EVERY = 5;

/** Watches one node: readiness, TCP, and its feed of proofs. */
export class HealthPoll {
  readonly #member: Member;
  readonly #context: PollContext;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 16, maxFreeSockets: 2 });
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;
  #rounds = 0;
  #failures = 0;

  constructor(member: Member, context: PollContext) {
    this.#member = member;
    this.#context = context;
  }

  /** Polls now and from then on; the promise is of the first round and never rejects. */
  async start(): Promise<void> {
    await this.#round();
    this.#schedule();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#agent.destroy();
  }

  /** What the node says of one name; UNKNOWN when it does not say. Never rejects. */
  async ask(host: string, port: number): Promise<Proof> {
    const answer = await this.#get(`/readyz?host=${encodeURIComponent(host)}&port=${port}`, READYZ_MAX_BYTES);
    if (answer.kind === "failed") return UNKNOWN;
    if (answer.status === 200) return PROVED;
    return answer.status === 503 ? FAILED : UNKNOWN;
  }

  /** The jitter keeps the polls of many nodes and balancers apart. */
  #schedule(): void {
    if (this.#stopped) return;
    const delay = this.#context.tuning.pollIntervalMs * (0.9 + 0.2 * Math.random());
    this.#timer = setTimeout(() => void this.#round().then(() => this.#schedule()), delay).unref();
  }

  async #round(): Promise<void> {
    const answer = await this.#get("/readyz", READYZ_MAX_BYTES);
    if (this.#stopped) return;
    this.#take(answer);
    const ready = this.#member.health === "ready";
    if (!ready || !this.#member.tcp || this.#rounds % TCP_CHECK_EVERY === 0) await this.#checkTcp();
    this.#rounds += 1;
    if (answer.kind === "answer" && !this.#stopped) await this.#follow();
  }

  #get(path: string, maxBytes: number): Promise<HealthAnswer> {
    const { endpoint, timeoutMs } = { endpoint: this.#member.config.health, timeoutMs: this.#context.tuning.pollTimeoutMs };
    return healthGet({ agent: this.#agent, endpoint, path, timeoutMs, maxBytes });
  }

  #take(answer: HealthAnswer): void {
    this.#failures = answer.kind === "failed" ? this.#failures + 1 : 0;
    if (answer.kind === "answer") {
      this.#setDraining(saysDraining(answer.body));
      const ready = answer.status === 200;
      return this.#setHealth(ready ? "ready" : "not-ready", ready ? undefined : `/readyz answers ${answer.status}`);
    }
    // One lost answer of a node that was well is no verdict; a refused connection is.
    if (answer.refused || this.#failures > 1 || this.#member.health === "unknown") this.#setHealth("unreachable", answer.problem);
  }

  #setDraining(draining: boolean): void {
    const { clock, log, settings } = this.#context;
    if (draining !== this.#member.draining) log.info(draining ? "a node drains" : "a node drains no longer", { node: this.#member.name });
    this.#member.draining = draining;
    settleDrain(this.#member, settings().balancer.drainTimeoutMs, clock.monotonicMs());
  }

  #setHealth(health: MemberHealth, problem: string | undefined): void {
    const member = this.#member;
    if (problem === undefined) delete member.problem;
    else member.problem = problem;
    if (member.health === health) return;
    const { clock, log } = this.#context;
    member.health = health;
    member.healthSince = clock.monotonicMs();
    if (health === "ready") log.info("a node is ready", { node: member.name });
    else log.warn("a node is not ready", { node: member.name, problem });
  }

  async #checkTcp(): Promise<void> {
    const { settings, tuning, log } = this.#context;
    const { protocols, balancer } = settings();
    const ports = [...protocols.keys()];
    const port = ports.find((port) => protocols.get(port) === "https") ?? ports[0];
    if (port === undefined) return;
    const endpoint = { address: this.#member.address, port: nodePort(this.#member.config, port) };
    const reached = await tcpCheck(endpoint, { timeoutMs: tuning.pollTimeoutMs, local: balancer.proxyProtocol });
    if (this.#member.tcp && !reached) {
      log.warn("a node's port cannot be reached", { node: this.#member.name, address: endpoint.address, port: endpoint.port });
    }
    this.#member.tcp = reached;
  }

  /** Asks for what changed since the last generation; a node without a feed is asked name by name instead. */
  async #follow(): Promise<void> {
    const { book, clock } = this.#context;
    const member = this.#member;
    const answer = await this.#get(`/proofs?since=${member.generation ?? 0}`, PROOFS_MAX_BYTES);
    if (this.#stopped) return;
    const feed = answer.kind === "answer" && answer.status === 200 ? parseProofFeed(answer.body) : undefined;
    if (feed === undefined) {
      member.generation = undefined;
      return;
    }
    if (feed.reset) book.forget(member.column);
    const now = clock.monotonicMs();
    for (const change of feed.changes) book.tell(member.column, change, now);
    member.generation = feed.generation;
  }
}
