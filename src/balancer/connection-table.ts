import type { Socket } from "node:net";

import type { Clock, Log } from "../base/index.ts";
import type { BalancerConfig } from "../config/index.ts";
import { abort } from "./abort.ts";
import { Connection, type ConnectionHolder, type Lane, type Refusal } from "./connection.ts";
import { LogGate } from "./log-gate.ts";
import type { Member } from "./member.ts";
import type { Router } from "./router.ts";
import type { BalancerTuning } from "./settings.ts";

/** What connections share. */
export interface ConnectionTableContext {
  readonly router: Router;
  readonly tuning: BalancerTuning;
  readonly clock: Clock;
  readonly log: Log;
  balancer(): BalancerConfig;
}

const TICK_MS = 100;
/** How long connections that are ended may still get rid of what is buffered. */
const FLUSH_MS = 200;
/** One connection may have met a name that is slow to prepare; several are the node's own doing. */
const UNANSWERED_IN_A_ROW = 2;
/** Relaying connections are looked at with every tenth tick. */
const TICKS_A_SWEEP = 10;

/** All connections of the balancer, their coarse clock and the sweeps that keep their deadlines: one timer for all of them. */
export class ConnectionTable implements ConnectionHolder {
  readonly router: Router;
  readonly tuning: BalancerTuning;
  /** The configuration's part, as of the last apply. */
  balancer: BalancerConfig;
  /** Monotonic milliseconds, renewed with every tick. */
  now: number;
  readonly #context: ConnectionTableContext;
  readonly #pending = new Set<Connection>();
  readonly #relaying = new Set<Connection>();
  readonly #gate = new LogGate(20, 10_000);
  readonly #refused: Record<Refusal, number> = { "hello-timeout": 0, "hello-closed": 0, "no-node": 0, "connect-failed": 0, overloaded: 0 };
  readonly #timer: NodeJS.Timeout;
  #accepted = 0;
  #empty = 0;
  #ticks = 0;
  #onIdle: (() => void) | undefined;

  constructor(context: ConnectionTableContext) {
    this.#context = context;
    this.router = context.router;
    this.tuning = context.tuning;
    this.balancer = context.balancer();
    this.now = context.clock.monotonicMs();
    this.#timer = setInterval(() => this.#tick(), TICK_MS).unref();
  }

  get size(): number {
    return this.#pending.size + this.#relaying.size;
  }

  /** Counters since the start. `empty`: clients that left, or waited too long, without one octet: TCP checks, mostly. */
  get totals(): { accepted: number; empty: number; refused: Readonly<Record<Refusal, number>> } {
    return { accepted: this.#accepted, empty: this.#empty, refused: { ...this.#refused } };
  }

  /** Takes the configuration's part anew; connections that are there go by it from the next sweep on. */
  apply(): void {
    this.balancer = this.#context.balancer();
  }

  accept(client: Socket, lane: Lane): void {
    this.#accepted += 1;
    if (this.size >= this.tuning.maxConnections) {
      this.refused("overloaded", { client: client.remoteAddress ?? "", empty: false });
      return abort(client);
    }
    this.#pending.add(new Connection(this, lane, client));
  }

  relaying(connection: Connection): void {
    this.#pending.delete(connection);
    this.#relaying.add(connection);
  }

  lingering(connection: Connection): void {
    this.#relaying.delete(connection);
    this.#pending.add(connection);
  }

  forget(connection: Connection): void {
    this.#pending.delete(connection);
    this.#relaying.delete(connection);
    if (this.size === 0) this.#onIdle?.();
  }

  refused(reason: Refusal, facts: { readonly client: string; readonly empty: boolean }): void {
    if (facts.empty) {
      this.#empty += 1;
      return;
    }
    this.#refused[reason] += 1;
    const suppressed = this.#gate.pass(this.now);
    if (suppressed !== undefined) this.#context.log.warn("a connection was refused", { reason, client: facts.client, suppressed });
  }

  nodeFailed(member: Member, code: string): void {
    member.totals.connectFailures += 1;
    const now = this.#context.clock.monotonicMs();
    if (member.ejectedUntil <= now) {
      member.totals.ejections += 1;
      this.#context.log.warn("a node is ejected: it took no connection", { node: member.name, code, forMs: this.tuning.ejectMs });
    }
    member.ejectedUntil = now + this.tuning.ejectMs;
  }

  unanswered(member: Member, problem: string): void {
    member.unanswered += 1;
    if (member.unanswered >= UNANSWERED_IN_A_ROW) this.nodeFailed(member, problem);
  }

  #tick(): void {
    this.now = this.#context.clock.monotonicMs();
    for (const connection of this.#pending) connection.sweepPending(this.now);
    this.#ticks += 1;
    if (this.#ticks % TICKS_A_SWEEP === 0) for (const connection of this.#relaying) connection.sweepRelaying(this.now);
  }

  /** Settles when no connection is left, or after `graceMs`, when those that are left are ended. */
  async drain(graceMs: number): Promise<void> {
    await this.#idle(graceMs);
    for (const connection of [...this.#pending, ...this.#relaying]) connection.end();
    await this.#idle(FLUSH_MS);
    for (const connection of [...this.#pending, ...this.#relaying]) connection.end();
    clearInterval(this.#timer);
  }

  async #idle(withinMs: number): Promise<void> {
    if (this.size === 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, withinMs);
      this.#onIdle = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
