import type { IpAddress } from "../base/index.ts";
import type { Refusal } from "./connection.ts";
import type { ListenerState } from "./listeners.ts";
import { isLeaving, type Member, type MemberHealth } from "./member.ts";
import { FAILED, PROVED, proofOf, type NameRecord, type ProofBook } from "./proof-book.ts";
import type { OpenEvent } from "./router.ts";

/** A node as the balancer sees it. */
export interface BalancedNode {
  readonly name: string;
  readonly address: IpAddress;
  readonly weight: number;
  readonly health: MemberHealth;
  /** Why it is not ready. */
  readonly problem?: string;
  readonly sinceMs: number;
  /** Its first https port takes TCP connections. */
  readonly tcp: boolean;
  /** It says itself that it drains; `drained`: an operator drained it. */
  readonly draining: boolean;
  readonly drained: boolean;
  /** Gets no new connections for that long because one failed; 0 = it does. */
  readonly ejectedForMs: number;
  readonly inRotation: boolean;
  readonly connections: number;
  readonly totals: { readonly connections: number; readonly connectFailures: number; readonly ejections: number };
  /** Of the names that are known here. `generation` is absent while the node gives no feed. */
  readonly proofs: { readonly proved: number; readonly failed: number; readonly generation?: number };
}

/** What the balancer knows of one name. */
export interface BalancedName {
  readonly host: string;
  readonly port: number;
  readonly provedBy: readonly string[];
  readonly failedBy: readonly string[];
}

/** Everything the balancer knows: plain data, bounded. */
export interface BalancerState {
  readonly listeners: readonly ListenerState[];
  readonly nodes: readonly BalancedNode[];
  readonly connections: {
    readonly active: number;
    readonly accepted: number;
    /** Clients that left, or waited too long, without one octet. */
    readonly empty: number;
    readonly refused: Readonly<Record<Refusal, number>>;
  };
  /** Connections that went to a node that had not proved the name; `events` are the last changes, oldest first. */
  readonly failOpen: { readonly total: number; readonly events: readonly (Omit<OpenEvent, "atMs"> & { readonly agoMs: number })[] };
  /** The names used last; `known` of at most `limit` are kept. */
  readonly names: { readonly known: number; readonly limit: number; readonly recent: readonly BalancedName[] };
  readonly closing: boolean;
}

/** Whether a node gets new connections. */
export const inRotation = (member: Member, now: number): boolean =>
  member.health === "ready" && member.tcp && !isLeaving(member) && member.ejectedUntil <= now;

/** A member as state() shows it. */
export function describeMember(member: Member, book: ProofBook, now: number): BalancedNode {
  const generation = member.generation === undefined ? {} : { generation: member.generation };
  return {
    name: member.name,
    address: member.address,
    weight: member.weight,
    health: member.health,
    ...(member.problem === undefined ? {} : { problem: member.problem }),
    sinceMs: Math.round(now - member.healthSince),
    tcp: member.tcp,
    draining: member.draining,
    drained: member.drained,
    ejectedForMs: Math.max(0, Math.round(member.ejectedUntil - now)),
    inRotation: inRotation(member, now),
    connections: member.connections,
    totals: { ...member.totals },
    proofs: { ...book.count(member.column), ...generation },
  };
}

/** A name as state() shows it. */
export function describeName(record: NameRecord, members: readonly Member[]): BalancedName {
  const named = (proof: number): readonly string[] =>
    members.filter((member) => proofOf(record, member.column) === proof).map((member) => member.name);
  return { host: record.host, port: record.port, provedBy: named(PROVED), failedBy: named(FAILED) };
}
