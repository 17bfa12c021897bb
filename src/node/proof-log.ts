import type { Clock } from "../base/index.ts";

/** A change of verdict, for balancers that keep up with a node. */
export interface ProofChange {
  readonly host: string;
  readonly port: number;
  readonly proved: boolean;
}

/** Changes of verdicts by generation, the last ones kept: a balancer asks only for what it has not seen. */
export interface ProofLog {
  add(change: ProofChange): void;
  /** `reset`: the generation asked from is unknown or too old; forget what you knew of this node. */
  since(generation: number): { readonly generation: number; readonly reset: boolean; readonly changes: readonly ProofChange[] };
}

const KEPT = 5_000;

/** An empty log. Generations start at a number that no earlier process of this node can have given out. */
export function createProofLog(clock: Clock): ProofLog {
  const changes: ProofChange[] = [];
  let generation = Math.floor(clock.now() / 10);
  return {
    add(change) {
      generation += 1;
      changes.push(change);
      if (changes.length > KEPT) changes.shift();
    },
    since(seen) {
      const behind = generation - seen;
      if (behind < 0 || behind > changes.length) return { generation, reset: true, changes: [] };
      return { generation, reset: false, changes: behind === 0 ? [] : changes.slice(-behind) };
    },
  };
}
