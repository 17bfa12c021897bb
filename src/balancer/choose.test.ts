import * as fc from "fast-check";
import { describe, expect, it, test } from "vitest";

import type { BalanceMode } from "../config/index.ts";
import { choose, hashText, type Candidate, type Question } from "./choose.ts";

const MODES: readonly BalanceMode[] = ["five-tuple", "source", "round-robin", "least-connections"];
const HASHES: readonly BalanceMode[] = ["five-tuple", "source"];

const node = (name: string, facts: Partial<Candidate> = {}): Candidate => ({
  name,
  seed: hashText(name),
  weight: 1,
  connections: 0,
  ...facts,
});
const farm = (count: number): Candidate[] => Array.from({ length: count }, (_, index) => node(`web${index + 1}`));
const client = (index: number): number =>
  hashText(`10.${index >> 16}.${(index >> 8) & 255}.${index & 255} ${1024 + (index % 60_000)} 192.0.2.1 443`);
const ask = (mode: BalanceMode, index: number): Question => ({ mode, key: client(index), turn: index });

/** How many of `count` clients each candidate gets. */
function spread(candidates: readonly Candidate[], mode: BalanceMode, count: number): Map<string, number> {
  const shares = new Map<string, number>(candidates.map((candidate) => [candidate.name, 0]));
  for (let index = 0; index < count; index++) {
    const name = choose(candidates, ask(mode, index))?.name ?? "";
    shares.set(name, (shares.get(name) ?? 0) + 1);
  }
  return shares;
}

describe("choose", () => {
  test.each(MODES)("with %s has no answer for no candidate and the only one for one", (mode) => {
    expect(choose([], ask(mode, 1))).toBeUndefined();
    expect(choose([node("web1")], ask(mode, 1))?.name).toBe("web1");
  });

  test.each(MODES)("with %s does not depend on the order of the candidates", (mode) => {
    const candidates = fc.uniqueArray(
      fc.record({
        name: fc.string({ minLength: 1, maxLength: 8 }),
        weight: fc.integer({ min: 0, max: 5 }),
        connections: fc.nat({ max: 3 }),
      }),
      { selector: (row) => row.name, minLength: 1, maxLength: 12 },
    );
    const shuffled = candidates.chain((rows) => fc.tuple(fc.constant(rows), fc.shuffledSubarray(rows, { minLength: rows.length })));
    fc.assert(
      fc.property(shuffled, fc.nat(), ([rows, others], index) => {
        const [one, other] = [rows, others].map((some) => some.map((row) => node(row.name, row)));
        expect(choose(one ?? [], ask(mode, index))?.name).toBe(choose(other ?? [], ask(mode, index))?.name);
      }),
    );
  });

  test.each(HASHES)("with %s gives each of 8 equal nodes its share within 5 %", (mode) => {
    for (const share of spread(farm(8), mode, 40_000).values()) expect(Math.abs(share / 5000 - 1)).toBeLessThan(0.05);
  });

  test.each(["five-tuple", "round-robin"] as const)("with %s follows weights 1, 2 and 5 within 5 %", (mode) => {
    const shares = spread([node("web1"), node("web2", { weight: 2 }), node("web3", { weight: 5 })], mode, 40_000);
    for (const [name, weight] of [
      ["web1", 1],
      ["web2", 2],
      ["web3", 5],
    ] as const) {
      expect(Math.abs((shares.get(name) ?? 0) / ((40_000 * weight) / 8) - 1)).toBeLessThan(0.05);
    }
  });

  test.each([
    ["equal weights", farm(8)],
    ["different weights", farm(8).map((candidate, index) => ({ ...candidate, weight: 1 + (index % 3) }))],
  ])("moves only the clients of the node that leaves, with %s", (_name, candidates) => {
    const [, gone, ...others] = candidates;
    const left = candidates.filter((candidate) => candidate !== gone);
    let moved = 0;
    for (let index = 0; index < 10_000; index++) {
      const before = choose(candidates, ask("five-tuple", index))?.name;
      const after = choose(left, ask("five-tuple", index))?.name;
      if (before === gone?.name) moved += 1;
      else expect(after).toBe(before);
    }
    expect(moved).toBeGreaterThan(500);
    expect(others).toHaveLength(6);
  });

  it("spreads the clients of the node that leaves over all the others", () => {
    const candidates = farm(5);
    const heirs = new Set<string | undefined>();
    for (let index = 0; index < 1000; index++) {
      if (choose(candidates, ask("five-tuple", index))?.name === "web2") {
        heirs.add(
          choose(
            candidates.filter(({ name }) => name !== "web2"),
            ask("five-tuple", index),
          )?.name,
        );
      }
    }
    expect(heirs).toEqual(new Set(["web1", "web3", "web4", "web5"]));
  });

  it("takes strict turns with round-robin among equal weights", () => {
    const names = Array.from({ length: 6 }, (_, turn) => choose(farm(3), { mode: "round-robin", key: 0, turn })?.name);
    expect(names).toEqual(["web1", "web2", "web3", "web1", "web2", "web3"]);
  });

  test.each([
    ["the node with the fewest connections", [3, 1, 2], [1, 1, 1], "web2"],
    ["the node with the most room for its weight", [3, 1, 9], [1, 1, 10], "web3"],
  ])("with least-connections takes %s", (_name, connections, weights, expected) => {
    const candidates = farm(3).map((one, at) => ({ ...one, connections: connections[at] ?? 0, weight: weights[at] ?? 1 }));
    expect(choose(candidates, ask("least-connections", 7))?.name).toBe(expected);
  });

  it("with least-connections spreads clients over idle nodes", () => {
    for (const share of spread(farm(4), "least-connections", 4000).values()) expect(share).toBeGreaterThan(800);
  });

  test.each(MODES)("with %s takes a node of weight 0 only when there is no other", (mode) => {
    const resting = node("web1", { weight: 0 });
    for (let index = 0; index < 50; index++)
      expect(choose([resting, node("web2", { connections: 100 })], ask(mode, index))?.name).toBe("web2");
    expect(choose([resting], ask(mode, 1))?.name).toBe("web1");
  });
});
