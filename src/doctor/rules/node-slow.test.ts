import { expect, test } from "vitest";

import { diagnose } from "../diagnose.ts";
import { examine, served } from "../testing/examination.ts";
import { HOST } from "../testing/wire-scripts.ts";
import { nodeSlow } from "./node-slow.ts";

/** Every handshake of a node takes as long as this. */
function examined(tookMs: Readonly<Record<string, number>>, samples = 3) {
  const cell = { sni: served(HOST), samples: Array.from({ length: samples }, () => served(HOST)) };
  const examination = examine({ cells: Object.fromEntries(Object.keys(tookMs).map((node) => [node, { [HOST]: cell }])) });
  const timed = examination.cells.map((one) => ({
    ...one,
    probes: Object.fromEntries(Object.entries(one.probes).map(([kind, seen]) => [kind, { ...seen, tookMs: tookMs[one.node] ?? 0 }])),
    samples: one.samples?.map((seen) => ({ ...seen, tookMs: tookMs[one.node] ?? 0 })) ?? [],
  }));
  const { findings, rules } = diagnose({ ...examination, cells: timed }, [nodeSlow]);
  return rules[0]?.status === "found" ? findings.map(({ severity, summary }) => `${severity}: ${summary}`) : [rules[0]?.status];
}

test.each([
  [
    "names the node that takes five times as long",
    { web1: 40, web2: 1_500 },
    3,
    ["warning: A handshake on web2 takes 1500 ms, on the other nodes 40 ms"],
  ],
  ["says nothing of a node that is five times as fast as slow ones", { web1: 1_500, web2: 1_600 }, 3, ["passed"]],
  ["says nothing below a second", { web1: 20, web2: 900 }, 3, ["passed"]],
  ["does not compare single handshakes", { web1: 40, web2: 1_500 }, 0, ["not-applicable"]],
  ["needs a peer", { web1: 1_500 }, 3, ["not-applicable"]],
])("%s", (_name, tookMs, samples, expected) => {
  expect(examined(tookMs, samples)).toEqual(expected);
});
