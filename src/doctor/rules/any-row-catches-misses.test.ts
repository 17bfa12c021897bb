import { expect, test } from "vitest";

import type { NodeEvidence } from "../evidence.ts";
import { anyRow, centralFile, centralRow, centralStore, iisNode, table } from "../testing/evidence.ts";
import { ask, RESET, served, wrong, type Script } from "../testing/examination.ts";
import { anyRowCatchesMisses } from "./any-row-catches-misses.ts";

const HOSTS = ["www.example.com", "shop.example.com"];
const DEFAULT = "default.example.com";
const cells = { web1: { "www.example.com": served("www.example.com"), "shop.example.com": wrong(DEFAULT) } };
const oneFile = centralStore([centralFile("www.example.com.pfx")]);
const node = (changes: Partial<NodeEvidence> = {}): NodeEvidence =>
  iisNode(HOSTS, { table: table(centralRow(), anyRow(4, DEFAULT)), central: oneFile, ...changes });

test("names the host without a file, and the row whose certificate it gets", () => {
  const { findings } = ask(anyRowCatchesMisses, { cells, evidence: { web1: node() } });
  expect(findings).toMatchObject([
    {
      summary: "web1 serves the default certificate of 0.0.0.0:443 for shop.example.com",
      nodes: ["web1"],
      hosts: ["shop.example.com"],
      certainty: "certain",
      explains: [{ node: "web1", host: "shop.example.com" }],
    },
  ]);
  expect(findings[0]?.proof.map(({ text }) => text)).toEqual([
    "the row 0.0.0.0:443 has certificate 64656661",
    "shop.example.com: serves CN=default.example.com instead",
    "no file is shop.example.com.pfx and _.example.com.pfx",
  ]);
});

test("without a listing the file may be there and unusable", () => {
  const { central: _central, ...bare } = node();
  expect(ask(anyRowCatchesMisses, { cells, evidence: { web1: bare } }).findings).toMatchObject([
    { certainty: "likely", decides: "the listing of the central certificates: name their folder with --share" },
  ]);
});

const others: [string, Script, string][] = [
  [
    "passes when the default certificate is never seen",
    { cells: { web1: { "www.example.com": served("www.example.com") } }, evidence: { web1: node() } },
    "passed",
  ],
  [
    "passes on another wrong certificate",
    { cells: { web1: { "shop.example.com": wrong("else.example.com") } }, evidence: { web1: node() } },
    "passed",
  ],
  ["passes on a reset", { cells: { web1: { "shop.example.com": RESET } }, evidence: { web1: node() } }, "passed"],
  [
    "leaves a host that has a file to the rules about files",
    { cells, evidence: { web1: node({ central: centralStore(HOSTS.map((host) => centralFile(`${host}.pfx`))) }) } },
    "passed",
  ],
  [
    "leaves a wildcard of the wrong depth to the rule for it",
    {
      cells: { web1: { "a.b.example.com": wrong(DEFAULT) } },
      evidence: {
        web1: iisNode(["a.b.example.com"], {
          table: table(centralRow(), anyRow(4, DEFAULT)),
          central: centralStore([centralFile("_.example.com.pfx")]),
        }),
      },
    },
    "passed",
  ],
  [
    "leaves a table without the central row to the rule for it",
    { cells, evidence: { web1: node({ table: table(anyRow(4, DEFAULT)) }) } },
    "passed",
  ],
  ["cannot look without a table", { cells }, "could-not-look"],
];
test.each(others)("%s", (_name, script, status) => {
  expect(ask(anyRowCatchesMisses, script).status).toBe(status);
});
