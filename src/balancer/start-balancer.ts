import type { Server } from "node:http";
import { setTimeout as pause } from "node:timers/promises";

import { formatEndpoint, type Clock, type Log } from "../base/index.ts";
import { ConnectionTable } from "./connection-table.ts";
import { HealthPoll } from "./health-poll.ts";
import { Listeners, type Adopt } from "./listeners.ts";
import type { Member } from "./member.ts";
import { NameQuestions } from "./name-questions.ts";
import { ProofBook, UNKNOWN } from "./proof-book.ts";
import { Roster } from "./roster.ts";
import { Router } from "./router.ts";
import { DEFAULT_TUNING, type BalancerSettings, type BalancerTuning } from "./settings.ts";
import { openStateServer } from "./state-server.ts";
import { describeMember, describeName, inRotation, type BalancerState } from "./state.ts";

/** What a balancer is started with. */
export interface BalancerOptions {
  readonly config: BalancerSettings;
  readonly log: Log;
  readonly clock: Clock;
  readonly tuning?: Partial<BalancerTuning>;
  /** Sockets that were bound before the process gave up root. */
  readonly adopt?: Adopt;
}

/** How a balancer ends. */
export interface EndOptions {
  readonly graceMs?: number;
  readonly noticeMs?: number;
}

/** A running layer-4 balancer. */
export interface Balancer {
  /**
   * Follows a new configuration without dropping connections: those of nodes that left go on until drainTimeoutMs.
   * The calls are worked off one after another. @throws BALANCER_LISTEN_FAILED when a new port cannot be had; the rest is done then.
   */
  apply(config: BalancerSettings): Promise<void>;
  /** The nodes that are drained: no new connections, the present ones end after drainTimeoutMs. Replaces the former set. */
  setDrained(names: readonly string[]): void;
  state(): BalancerState;
  /**
   * Says in `/readyz` for noticeMs (0 unless told) that it ends, stops listening, lets connections end for drainTimeoutMs (or graceMs), then
   * ends them. Safe to call again.
   */
  close(options?: EndOptions): Promise<void>;
}

const RECENT_NAMES = 1000;

class RunningBalancer implements Balancer {
  #settings: BalancerSettings;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #tuning: BalancerTuning;
  readonly #book: ProofBook;
  readonly #roster: Roster;
  readonly #router: Router;
  readonly #table: ConnectionTable;
  readonly #listeners: Listeners;
  readonly #polls = new Map<Member, HealthPoll>();
  readonly #adopt: Adopt | undefined;
  #health: Server | undefined;
  #healthAt: string | undefined;
  #queue: Promise<void> = Promise.resolve();
  #isListening = false;
  #closing: Promise<void> | undefined;

  constructor(options: BalancerOptions) {
    this.#settings = options.config;
    this.#clock = options.clock;
    this.#log = options.log;
    this.#tuning = { ...DEFAULT_TUNING, ...options.tuning };
    this.#book = new ProofBook(this.#tuning.maxNames);
    this.#roster = new Roster(this.#book);
    const shared = { roster: this.#roster, book: this.#book, clock: this.#clock, log: this.#log, tuning: this.#tuning };
    const questions = new NameQuestions({
      ...shared,
      nameWaitMs: this.#tuning.nameWaitMs,
      ask: (member, host, port) => this.#polls.get(member)?.ask(host, port) ?? Promise.resolve(UNKNOWN),
    });
    this.#router = new Router({ ...shared, questions, mode: () => this.#settings.balancer.mode });
    this.#table = new ConnectionTable({ ...shared, router: this.#router, balancer: () => this.#settings.balancer });
    this.#listeners = new Listeners(this.#table, options.adopt);
    this.#adopt = options.adopt;
  }

  /** Looks at every node once, so that the first connections are not sent blindly, then listens. */
  async start(): Promise<void> {
    try {
      await this.#followNodes();
      await this.#followHealth();
      await this.#listeners.apply(this.#settings);
      this.#isListening = true;
    } catch (error) {
      await this.close({ graceMs: 0 });
      throw error;
    }
  }

  apply(config: BalancerSettings): Promise<void> {
    const applied = this.#queue.then(() => this.#apply(config));
    this.#queue = applied.catch(() => undefined); // the caller has the error
    return applied;
  }

  async #apply(config: BalancerSettings): Promise<void> {
    if (this.#closing !== undefined) return;
    this.#settings = config;
    this.#table.apply();
    await this.#followNodes();
    await this.#followHealth();
    await this.#listeners.apply(config);
  }

  async #followHealth(): Promise<void> {
    const endpoint = this.#settings.balancer.health;
    const address = formatEndpoint(endpoint);
    if (address === this.#healthAt) return;
    const source = {
      ready: () =>
        this.#isListening &&
        this.#closing === undefined &&
        this.#roster.list.some((member) => inRotation(member, this.#clock.monotonicMs())),
      state: () => this.state(),
    };
    const opened = await openStateServer(endpoint, source, this.#adopt);
    this.#health?.closeAllConnections();
    this.#health?.close();
    this.#health = opened;
    this.#healthAt = address;
  }

  async #followNodes(): Promise<void> {
    this.#roster.apply(this.#settings.nodes, this.#settings.balancer.drainTimeoutMs, this.#clock.monotonicMs());
    const members = new Set(this.#roster.list);
    for (const [member, poll] of this.#polls) {
      if (members.has(member)) continue;
      poll.stop();
      this.#polls.delete(member);
    }
    const first: Promise<void>[] = [];
    for (const member of members) {
      if (this.#polls.has(member)) continue;
      const settings = (): BalancerSettings => this.#settings;
      const poll = new HealthPoll(member, { book: this.#book, tuning: this.#tuning, clock: this.#clock, log: this.#log, settings });
      this.#polls.set(member, poll);
      first.push(poll.start());
    }
    await Promise.all(first);
  }

  setDrained(names: readonly string[]): void {
    this.#roster.setDrained(new Set(names), this.#settings.balancer.drainTimeoutMs, this.#clock.monotonicMs());
  }

  state(): BalancerState {
    const now = this.#clock.monotonicMs();
    const members = this.#roster.list;
    const events = this.#router.events.map(({ atMs, ...event }) => ({ ...event, agoMs: Math.round(now - atMs) }));
    const recent = this.#book.recent(RECENT_NAMES).map((record) => describeName(record, members));
    return {
      listeners: this.#listeners.state,
      nodes: members.map((member) => describeMember(member, this.#book, now)),
      connections: { active: this.#table.size, ...this.#table.totals },
      failOpen: { total: this.#router.failOpen, events },
      names: { known: this.#book.size, limit: this.#book.limit, recent },
      closing: this.#closing !== undefined,
    };
  }

  close(options: EndOptions = {}): Promise<void> {
    this.#closing ??= this.#close(options);
    return this.#closing;
  }

  async #close({ graceMs = this.#settings.balancer.drainTimeoutMs, noticeMs = 0 }: EndOptions): Promise<void> {
    await this.#queue;
    if (noticeMs > 0) await pause(noticeMs);
    this.#listeners.closeAll();
    await this.#table.drain(graceMs);
    for (const poll of this.#polls.values()) poll.stop();
    this.#health?.closeAllConnections();
    this.#health?.close();
  }
}

/**
 * Starts a balancer: resolves when every node was looked at once and all ports listen.
 * @throws BALANCER_LISTEN_FAILED when a port or the health endpoint cannot be had; nothing is left running then
 */
export async function startBalancer(options: BalancerOptions): Promise<Balancer> {
  const balancer = new RunningBalancer(options);
  await balancer.start();
  return balancer;
}
