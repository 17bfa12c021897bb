import type { BalanceMode } from "../config/index.ts";

/** A node that may take the connection, as far as the choice depends on it. */
export interface Candidate {
  readonly name: string;
  /** `hashText(name)`, kept so that it is made once a node. */
  readonly seed: number;
  /** Share of the connections; candidates of weight 0 are taken only when there are no others. */
  readonly weight: number;
  /** Connections it has now. */
  readonly connections: number;
}

/** What a choice depends on besides the candidates. */
export interface Question {
  readonly mode: BalanceMode;
  /** Hash of the client: of the five-tuple, or of the source address alone. */
  readonly key: number;
  /** Counts the choices made so far; round robin follows it. */
  readonly turn: number;
}

/** 32 bits in which every bit of the input counts: Murmur3's finaliser (Austin Appleby, public domain). */
function mix(value: number): number {
  let bits = value ^ (value >>> 16);
  bits = Math.imul(bits, 0x85ebca6b);
  bits ^= bits >>> 13;
  bits = Math.imul(bits, 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}

/** A 32-bit hash of a text: FNV-1a (RFC 9923) over UTF-16 units, then mixed. */
export function hashText(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return mix(hash);
}

/** The hash of one candidate for one key; independent between candidates. */
const draw = (key: number, seed: number): number => mix(mix(key ^ seed) + seed);

/** The candidate with the highest value; names decide ties, so that the order of the input never matters. */
function best<C extends Candidate>(candidates: readonly C[], value: (candidate: C) => number): C | undefined {
  let [winner, highest] = [candidates[0], Number.NEGATIVE_INFINITY];
  for (const candidate of candidates) {
    const its = value(candidate);
    if (its < highest || (its === highest && winner !== undefined && candidate.name > winner.name)) continue;
    winner = candidate;
    highest = its;
  }
  return winner;
}

/**
 * The candidate that takes the connection, or undefined when there is none. The same question over the same candidates, in
 * any order, has the same answer. The hash modes are rendezvous hashing (highest random weight): a candidate that leaves
 * moves only its own share, one that comes takes only its own share.
 */
export function choose<C extends Candidate>(candidates: readonly C[], question: Question): C | undefined {
  const weighty = candidates.some((candidate) => candidate.weight <= 0) ? withWeight(candidates) : candidates;
  if (weighty.length < 2) return weighty[0];
  switch (question.mode) {
    case "five-tuple":
    case "source":
      return byHash(weighty, question.key);
    case "round-robin":
      return byTurn(weighty, question.turn);
    case "least-connections":
      return byLoad(weighty, question.key);
  }
}

function withWeight<C extends Candidate>(candidates: readonly C[]): readonly C[] {
  const positive = candidates.filter((candidate) => candidate.weight > 0);
  return positive.length === 0 ? candidates : positive;
}

function sameWeight(candidates: readonly Candidate[]): boolean {
  const weight = candidates[0]?.weight;
  return candidates.every((candidate) => candidate.weight === weight);
}

function byHash<C extends Candidate>(candidates: readonly C[], key: number): C | undefined {
  if (sameWeight(candidates)) return best(candidates, (candidate) => draw(key, candidate.seed));
  return best(candidates, (candidate) => score(candidate, key));
}

/** Grows with the draw and, over many keys, wins in proportion to the weight (logarithmic method of rendezvous hashing). */
const score = (candidate: Candidate, key: number): number =>
  -candidate.weight / Math.log((draw(key, candidate.seed) + 0.5) / 0x1_0000_0000);

const GOLDEN = (Math.sqrt(5) - 1) / 2;

/** Equal weights take turns by name; otherwise turns fall evenly on a line on which each candidate owns its weight. */
function byTurn<C extends Candidate>(candidates: readonly C[], turn: number): C | undefined {
  const ordered = candidates.toSorted((one, other) => (one.name < other.name ? -1 : 1));
  if (sameWeight(ordered)) return ordered[turn % ordered.length];
  const total = ordered.reduce((sum, candidate) => sum + candidate.weight, 0);
  let place = ((turn * GOLDEN) % 1) * total;
  for (const candidate of ordered) {
    place -= candidate.weight;
    if (place < 0) return candidate;
  }
  return ordered.at(-1);
}

/** Fewest connections for its weight; the hash decides among equals, so that idle farms are not filled from one end. */
function byLoad<C extends Candidate>(candidates: readonly C[], key: number): C | undefined {
  const load = (candidate: C): number => (candidate.connections + 1) / Math.max(candidate.weight, 1e-9);
  const least = Math.min(...candidates.map(load));
  return best(
    candidates.filter((candidate) => load(candidate) === least),
    (candidate) => draw(key, candidate.seed),
  );
}
