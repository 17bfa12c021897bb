import type { Clock, Log } from "../base/index.ts";
import type { BalanceMode } from "../config/index.ts";
import { choose } from "./choose.ts";
import { LogGate } from "./log-gate.ts";
import { isLeaving, type Member } from "./member.ts";
import type { NameQuestions } from "./name-questions.ts";
import { PROVED, proofOf, type NameRecord, type ProofBook } from "./proof-book.ts";
import type { Roster } from "./roster.ts";

/** What routing needs. */
export interface RouterContext {
  readonly roster: Roster;
  readonly book: ProofBook;
  readonly questions: NameQuestions;
  readonly clock: Clock;
  readonly log: Log;
  mode(): BalanceMode;
}

/** A connection for which a node is wanted. */
export interface Route {
  /** The name and binding port of the ClientHello; undefined without a valid name: then general readiness decides. */
  readonly name: NameRecord | undefined;
  /** Hash of the client. */
  readonly key: number;
  /** Nodes that could not be reached for this connection. */
  readonly tried: readonly Member[];
  /** No failing open: a node that did not prove the name is none. */
  readonly onlyGood: boolean;
}

/** How good a node is for a connection, best first. From `ready` on it is failing open when the connection has a name. */
const LEVELS = ["proved", "proved but ejected", "ready", "reachable"] as const;
type Level = (typeof LEVELS)[number];

/** A time a connection went to a node without proof, and how. */
export interface OpenEvent {
  /** `*` for connections without a name. */
  readonly host: string;
  readonly port: number;
  readonly level: Level | "none";
  readonly atMs: number;
}

const MAX_EVENTS = 100;

/** Decides which node a connection goes to, and says so when it has to fail open. */
export class Router {
  readonly #context: RouterContext;
  readonly #gate = new LogGate(20, 10_000);
  readonly #events: OpenEvent[] = [];
  /** Stands for connections without a name in the bookkeeping of what was logged. */
  readonly #nameless: { openLevel?: string } = {};
  #turn = 0;
  #failOpen = 0;

  constructor(context: RouterContext) {
    this.#context = context;
  }

  /** Connections that went to a node that had not proved the name, or that found no node at all. */
  get failOpen(): number {
    return this.#failOpen;
  }

  /** The last changes of what a name had to do with, oldest first. */
  get events(): readonly OpenEvent[] {
    return this.#events;
  }

  /** The record of a name, and a promise when its proofs have to be asked for first. */
  learn(host: string, port: number): { readonly name: NameRecord; readonly wait: Promise<void> | undefined } {
    const name = this.#context.book.record(host, port);
    return { name, wait: this.#context.questions.learn(name) };
  }

  /** The node for a connection; undefined when no node can take it. */
  pick(route: Route): Member | undefined {
    const now = this.#context.clock.monotonicMs();
    const good = route.name === undefined ? 2 : 1;
    const limit = route.onlyGood ? good : LEVELS.length - 1;
    let best: number = LEVELS.length;
    let candidates: Member[] = [];
    for (const member of this.#context.roster.list) {
      if (isLeaving(member) || route.tried.includes(member)) continue;
      const level = levelOf(member, route.name, now);
      if (level > Math.min(best, limit)) continue;
      if (level < best) candidates = [];
      best = level;
      candidates.push(member);
    }
    const member = choose(candidates, { mode: this.#context.mode(), key: route.key, turn: this.#turn });
    this.#turn = (this.#turn + 1) % 0x4000_0000;
    if (route.tried.length === 0 || member !== undefined) this.#account(route, best, now);
    return member;
  }

  /** Whether another node takes connections now. */
  canReplace(member: Member): boolean {
    const now = this.#context.clock.monotonicMs();
    return this.#context.roster.list.some((other) => other !== member && !isLeaving(other) && isUp(other) && other.ejectedUntil <= now);
  }

  #account(route: Route, best: number, now: number): void {
    const record = route.name ?? this.#nameless;
    if (best <= 1 || (route.name === undefined && best === 2)) {
      if (record.openLevel !== undefined) delete record.openLevel;
      return;
    }
    this.#failOpen += 1;
    const level = LEVELS[best] ?? "none";
    if (record.openLevel === level) return;
    record.openLevel = level;
    this.#say({ host: route.name?.host ?? "*", port: route.name?.port ?? 0, level, atMs: now });
  }

  #say(event: OpenEvent): void {
    this.#events.push(event);
    if (this.#events.length > MAX_EVENTS) this.#events.shift();
    const suppressed = this.#gate.pass(event.atMs);
    if (suppressed === undefined) return;
    const message =
      event.level === "none"
        ? "no node can take the connection"
        : "no node proved the name: failing open to nodes that are only " + event.level;
    this.#context.log.warn(message, { host: event.host, port: event.port, suppressed });
  }
}

const isUp = (member: Member): boolean => member.health === "ready" && member.tcp;

function levelOf(member: Member, name: NameRecord | undefined, now: number): number {
  const up = isUp(member);
  const ejected = member.ejectedUntil > now;
  const proved = name === undefined || proofOf(name, member.column) === PROVED;
  if (up && proved && name !== undefined) return ejected ? 1 : 0;
  if (up && !ejected) return 2;
  return member.tcp || member.health === "ready" ? 3 : LEVELS.length;
}
