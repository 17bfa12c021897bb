import { expect, test } from "vitest";

import { certfarmNode, iisNode } from "../testing/evidence.ts";
import { ask, at, served, type Script } from "../testing/examination.ts";
import { SHOP_WELL } from "../testing/file-scripts.ts";
import { HOST, told } from "../testing/wire-scripts.ts";
import { clockSkew } from "./clock-skew.ts";

const clocks = (...offsets: readonly number[]): Script => ({
  cells: Object.fromEntries(offsets.map((_offset, index) => [`web${index + 1}`, { [HOST]: served(HOST) }])),
  evidence: Object.fromEntries(
    offsets.map((offsetMs, index) => [
      `web${index + 1}`,
      certfarmNode([HOST], { clock: { source: "report", offsetMs, uncertaintyMs: 500 } }),
    ]),
  ),
});
const dates = (...offsets: readonly number[]): Script => ({
  cells: Object.fromEntries(
    offsets.map((clockOffsetMs, index) => [
      `web${index + 1}`,
      { [HOST]: { sni: served(HOST), request: { status: 200, clockOffsetMs, tookMs: 40 } } },
    ]),
  ),
});

const rows: [string, Script, string[]][] = [
  ["cannot look when no node tells its time", { cells: { web1: SHOP_WELL } }, ["could-not-look"]],
  ["passes within five seconds", clocks(0, 5_000), ["passed"]],
  ["counts what is sure only", clocks(0, 5_400), ["passed"]],
  ["warns beyond five seconds", clocks(0, 8_000), ["warning, certain: The clock of web2 is 8 seconds ahead"]],
  ["is an error beyond two minutes", clocks(0, -600_000), ["error, certain: The clock of web2 is 10 minutes behind"]],
  ["reads Date headers where there is no evidence", dates(300, 600_000), ["error, certain: The clock of web2 is 10 minutes ahead"]],
  ["allows for their whole seconds", dates(300, 5_400), ["passed"]],
  [
    "blames this machine when all nodes agree",
    clocks(600_000, 600_400),
    ["error, certain: The clock of this machine is 10 minutes behind the clocks of all nodes"],
  ],
  [
    "believes IIS servers that compared themselves with a time server",
    {
      evidence: Object.fromEntries(
        ["web1", "web2"].map((name) => [
          name,
          iisNode([HOST], { clock: { source: "time server", offsetMs: 600_000, uncertaintyMs: 500 } }),
        ]),
      ),
    },
    ["error, certain: The clock of web1 is 10 minutes ahead", "error, certain: The clock of web2 is 10 minutes ahead"],
  ],
  ["is not sure with one node alone", clocks(600_000), ["error, likely: The clock of web1 is 10 minutes ahead"]],
];

test("explains why a certfarm node whose clock is wrong prefers another certificate", () => {
  const script = clocks(0, 0, 400 * 86_400_000);
  const { diagnosis } = ask(clockSkew, {
    ...script,
    cells: { ...script.cells, web3: { [HOST]: served("next", { dnsNames: [HOST], notBefore: at(1), verified: "CERT_NOT_YET_VALID" }) } },
  });
  expect(diagnosis.findings.map(({ code, explains }) => [code, explains])).toEqual([["clock-skew", [{ node: "web3", host: HOST }]]]);
});

test.each(rows)("%s", (_name, script, expected) => {
  expect(told(clockSkew, script)).toEqual(expected);
});
