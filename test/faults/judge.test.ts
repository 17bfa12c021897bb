import { describe, expect, it } from "vitest";

import type { Rev } from "../../src/store/index.ts";
import { either, judge, nothing, onKeptConnection, through, underWay, type Excuse } from "./judge.ts";
import type { RequestRecord } from "./load/types.ts";
import { audit } from "./writers.ts";

const MOMENTS = { beganMs: 1000, inPlaceMs: 1050, healedMs: 5000, provedMs: 6000 };
const HOST = "www.farm.test";
const ISSUED = new Map([
  [
    HOST,
    [
      { fingerprint: "old", fromMs: 0 },
      { fingerprint: "new", fromMs: 3000 },
    ],
  ],
  ["shop.farm.test", [{ fingerprint: "shop", fromMs: 0 }]],
]);

const answered = (s: number, e: number, f: string): RequestRecord => ({ s, e, b: "lb1", h: HOST, k: "tls13", c: 0, f });
const failed = (s: number, e: number, more: Partial<RequestRecord> = {}): RequestRecord => ({
  s,
  e,
  b: "lb1",
  h: HOST,
  k: "tls13",
  c: 0,
  x: "ECONNRESET",
  ...more,
});

const verdict = (records: readonly RequestRecord[], excuse: Excuse = nothing): ReturnType<typeof judge> =>
  judge(records, { moments: MOMENTS, excuse, issued: ISSUED });

describe("a failed request", () => {
  it.each<[string, Excuse, RequestRecord, boolean]>([
    ["that was under way when the process was killed is excused", underWay(), failed(900, 1100), true],
    ["that began after the kill is not", underWay(), failed(1200, 1300), false],
    ["that began while nobody could know of a cut line is", underWay(4000), failed(4000, 9000), true],
    [
      "on a kept connection is excused until the silence is noticed",
      onKeptConnection(4000),
      failed(4000, 9000, { k: "keep-alive", u: 3 }),
      true,
    ],
    ["on a connection of its own is not", onKeptConnection(4000), failed(4000, 9000), false],
    ["to the balancer that is gone is excused", through("lb1"), failed(2000, 2001), true],
    ["to the other balancer is not", through("lb1"), failed(2000, 2001, { b: "lb2" }), false],
    ["is excused by any of several reasons", either(nothing, underWay()), failed(900, 1100), true],
    ["is not excused by none", nothing, failed(900, 1100), false],
  ])("%s", (_what, excuse, record, isExcused) => {
    const seen = verdict([record], excuse);
    expect(seen).toMatchObject({ requests: 1, failed: 1 });
    expect(seen.inexcusable).toHaveLength(isExcused ? 0 : 1);
  });

  it("before the fault or after its end is none of this fault's", () => {
    expect(verdict([failed(10, 20), failed(7000, 7100)])).toMatchObject({ requests: 0, failed: 0 });
  });
});

describe("a certificate", () => {
  it.each([
    ["of the host is right", "old", []],
    ["that replaced it is right from its first moment on", "new", [1]],
    ["of another host is wrong", "shop", [0, 1]],
    ["that nobody issued is wrong", "unknown", [0, 1]],
  ])("%s", (_what, fingerprint, wrong) => {
    const records = [answered(3500, 3600, fingerprint), answered(2000, 2100, fingerprint)];
    expect(verdict(records).wrong.map((record) => records.indexOf(record))).toEqual(wrong);
  });
});

const rev = (text: string): Rev => text as Rev; // what a store would give
const write = (n: number, expected: string | undefined, own: string): Parameters<typeof audit>[0]["acknowledged"][number] => ({
  key: "k",
  n,
  id: `w${n}`,
  expected: expected === undefined ? undefined : rev(expected),
  rev: rev(own),
});
const ends = (n: number): Parameters<typeof audit>[1] => new Map([["k", { key: "k", n, id: "last" }]]);

describe("the audit of acknowledged writes", () => {
  const chain = [write(1, undefined, "a"), write(2, "a", "b"), write(3, "b", "c")];
  it.each<[string, Parameters<typeof audit>, { lost: number; twice: number }]>([
    ["has nothing to say of a whole chain", [{ acknowledged: chain, unanswered: [] }, ends(3)], { lost: 0, twice: 0 }],
    [
      "takes a number that nobody was told of for an unanswered write",
      [{ acknowledged: chain, unanswered: [{ key: "k", n: 4, id: "u" }] }, ends(4)],
      { lost: 0, twice: 0 },
    ],
    ["misses the writer of a number that nobody wrote", [{ acknowledged: chain, unanswered: [] }, ends(4)], { lost: 1, twice: 0 }],
    ["finds the last write lost", [{ acknowledged: chain, unanswered: [] }, ends(2)], { lost: 1, twice: 0 }],
    [
      "finds a write in the middle lost",
      [{ acknowledged: [...chain, write(4, "x", "d")], unanswered: [] }, ends(4)],
      { lost: 1, twice: 0 },
    ],
    [
      "finds a version that was accepted twice",
      [{ acknowledged: [...chain, write(3, "b", "d")], unanswered: [] }, ends(3)],
      { lost: 1, twice: 1 },
    ],
  ])("%s", (_what, [tally, last], { lost, twice }) => {
    const found = audit(tally, last);
    expect({ lost: found.lost.length, twice: found.twice.length }).toEqual({ lost, twice });
  });
});
