import { expect, test } from "vitest";

import { systemClock } from "../base/index.ts";
import { createRefusalJournal, type Refusal } from "./refusal-journal.ts";

const refusal = (serverName: string): Refusal => ({
  reason: "no-certificate",
  serverName,
  client: "127.0.0.1:1",
  local: "127.0.0.1:443",
  versions: [],
  alpn: [],
  detail: "",
});

function filled(count: number, capacity: number) {
  const journal = createRefusalJournal(systemClock, capacity);
  for (let at = 1; at <= count; at += 1) journal.add(refusal(`h${at}`));
  return journal;
}

test.each([
  ["an empty journal", 0, 0, [], 0],
  ["from the beginning", 3, 0, [1, 2, 3], 0],
  ["after the last one seen", 3, 2, [3], 0],
  ["after the newest", 3, 3, [], 0],
  ["entries that the ring dropped are counted", 7, 0, [4, 5, 6, 7], 3],
  ["a reader that fell behind", 7, 2, [4, 5, 6, 7], 1],
] as const)("%s", (_what, count, after, sequences, dropped) => {
  const answer = filled(count, 4).after(after, 100);
  expect(answer.entries.map((entry) => entry.sequence)).toEqual(sequences);
  expect(answer).toMatchObject({ dropped, total: count });
});

test("a limit gives the oldest ones first, so that a reader can go on from there", () => {
  expect(
    filled(4, 10)
      .after(0, 2)
      .entries.map((entry) => entry.serverName),
  ).toEqual(["h1", "h2"]);
});

test("every refusal is counted by its reason, also those no longer kept", () => {
  expect(filled(9, 2).totals()).toEqual({ total: 9, byReason: { "no-certificate": 9 } });
});
