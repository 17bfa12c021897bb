import type { NodeConfig } from "../config/index.ts";
import { isLeaving, newMember, type Member } from "./member.ts";
import type { ProofBook } from "./proof-book.ts";
import { nodeAddress } from "./settings.ts";

/** The nodes of the farm as the balancer knows them, and which of them are on their way out. */
export class Roster {
  readonly #book: ProofBook;
  readonly #members = new Map<string, Member>();
  /** Nodes that left the configuration and still have connections. */
  readonly #departed = new Set<Member>();
  #drained: ReadonlySet<string> = new Set();
  #list: readonly Member[] = [];

  constructor(book: ProofBook) {
    this.#book = book;
  }

  /** Members of the configuration, in its order. */
  get list(): readonly Member[] {
    return this.#list;
  }

  get departed(): readonly Member[] {
    return [...this.#departed];
  }

  /** Follows a new configuration: members keep what is known of them as long as their name stays. */
  apply(nodes: readonly NodeConfig[], drainTimeoutMs: number, now: number): void {
    const names = new Set(nodes.map((node) => node.name));
    for (const member of this.#list) if (!names.has(member.name)) this.#remove(member, drainTimeoutMs, now);
    for (const node of nodes) {
      const known = this.#members.get(node.name);
      if (known === undefined) this.#members.set(node.name, newMember(node, this.#book.takeColumn()));
      else Object.assign(known, { config: node, weight: node.weight, address: nodeAddress(node) });
    }
    this.#list = nodes.flatMap((node) => this.#members.get(node.name) ?? []);
    this.setDrained(this.#drained, drainTimeoutMs, now);
  }

  #remove(member: Member, drainTimeoutMs: number, now: number): void {
    this.#members.delete(member.name);
    this.#book.freeColumn(member.column);
    member.removed = true;
    settleDrain(member, drainTimeoutMs, now);
    for (const gone of this.#departed) if (gone.connections === 0) this.#departed.delete(gone);
    if (member.connections > 0) this.#departed.add(member);
  }

  /** The nodes that an operator drained: they get no new connections. Names of no node are kept for a node that comes later. */
  setDrained(names: ReadonlySet<string>, drainTimeoutMs: number, now: number): void {
    this.#drained = names;
    for (const member of this.#list) {
      member.drained = names.has(member.name);
      settleDrain(member, drainTimeoutMs, now);
    }
  }
}

/** Sets or lifts the moment at which a node's connections are ended, after one of its reasons to leave changed. */
export function settleDrain(member: Member, drainTimeoutMs: number, now: number): void {
  if (!isLeaving(member)) member.endConnectionsAt = Number.POSITIVE_INFINITY;
  else if (member.endConnectionsAt === Number.POSITIVE_INFINITY) member.endConnectionsAt = now + drainTimeoutMs;
}
