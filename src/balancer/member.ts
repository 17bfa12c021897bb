import type { IpAddress } from "../base/index.ts";
import type { NodeConfig } from "../config/index.ts";
import { hashText, type Candidate } from "./choose.ts";
import { nodeAddress } from "./settings.ts";

/** What a node's health endpoint last said. */
export type MemberHealth = "unknown" | "ready" | "not-ready" | "unreachable";

/** A node as the balancer knows it. Written by the health poll, the connections and the setters of the balancer; one thread. */
export interface Member extends Candidate {
  readonly name: string;
  readonly seed: number;
  weight: number;
  connections: number;
  config: NodeConfig;
  address: IpAddress;
  /** Column of this node in the proof book. */
  readonly column: number;
  health: MemberHealth;
  /** Why it is not ready, in one sentence. */
  problem?: string;
  /** Monotonic milliseconds of the last change of `health`. */
  healthSince: number;
  /** A TCP connection to its first https port succeeded when last tried. */
  tcp: boolean;
  /** It says itself that it drains. */
  draining: boolean;
  /** An operator drained it here. */
  drained: boolean;
  /** It left the configuration. */
  removed: boolean;
  /** Monotonic milliseconds until which it gets no connection because one failed. */
  ejectedUntil: number;
  /** Connections in a row that it took and did not answer. */
  unanswered: number;
  /** Monotonic milliseconds at which the connections of a draining node are ended; Infinity = never. */
  endConnectionsAt: number;
  /** Generation of the last `/proofs` answer; undefined while it gives none. */
  generation: number | undefined;
  readonly totals: { connections: number; connectFailures: number; ejections: number };
}

/** A node that nothing is known of yet. */
export function newMember(config: NodeConfig, column: number): Member {
  return {
    name: config.name,
    seed: hashText(config.name),
    weight: config.weight,
    connections: 0,
    config,
    address: nodeAddress(config),
    column,
    health: "unknown",
    healthSince: 0,
    tcp: false,
    draining: false,
    drained: false,
    removed: false,
    ejectedUntil: 0,
    unanswered: 0,
    endConnectionsAt: Number.POSITIVE_INFINITY,
    generation: undefined,
    totals: { connections: 0, connectFailures: 0, ejections: 0 },
  };
}

/** Whether a node gets no new connections on purpose. */
export const isLeaving = (member: Member): boolean => member.drained || member.draining || member.removed;
