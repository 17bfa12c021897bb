import { expect, test } from "vitest";

import type { EvidenceRow } from "../evidence.ts";
import { anyRow, APPS, centralRow, certfarmNode, hostRow, iisNode, ipRow, table } from "../testing/evidence.ts";
import { ask, served, wrong, type Script } from "../testing/examination.ts";
import { foreignRowOwner } from "./foreign-row-owner.ts";

const HOST = "www.example.com";
const STS = "sts.example.com";
const UNKNOWN = "{0e6f9b1c-1111-4222-8333-944444444444}";
const with_ = (...rows: readonly EvidenceRow[]) => iisNode([HOST], { table: table(centralRow(), ...rows) });
const shadowed = { web1: { [HOST]: wrong(STS) } };

test("names the application that owns the row, and has its owner moved first", () => {
  const { findings, diagnosis } = ask(foreignRowOwner, {
    cells: shadowed,
    evidence: { web1: with_(ipRow("10.0.0.1:443", STS, { appId: APPS.adfs })) },
  });
  expect(findings).toMatchObject([
    {
      summary: "web1: the row 10.0.0.1:443 belongs to AD FS or Web Application Proxy, and answers for sites of IIS",
      nodes: ["web1"],
      actions: [{ do: "manual", node: "web1" }],
      explains: [{ node: "web1", host: HOST }],
    },
  ]);
  expect(diagnosis.findings).toHaveLength(1);
});

const cases: [string, Script, number][] = [
  [
    "a row for the site's name, by an unknown application",
    { cells: shadowed, evidence: { web1: with_(hostRow(HOST, STS, { appId: UNKNOWN })) } },
    1,
  ],
  ["the same before anybody dialled", { evidence: { web1: with_(hostRow(HOST, STS, { appId: UNKNOWN })) } }, 1],
  ["an address that sites use, before anybody dialled", { evidence: { web1: with_(ipRow("10.0.0.1:443", STS, { appId: APPS.adfs })) } }, 1],
  [
    "a default certificate, where no row of the sites stands before it",
    { cells: shadowed, evidence: { web1: iisNode([HOST], { table: table(anyRow(4, STS, { appId: APPS.adfs })) }) } },
    1,
  ],
  [
    "a default certificate behind the central row: the missing file is to blame",
    { cells: shadowed, evidence: { web1: with_(anyRow(4, STS, { appId: APPS.adfs })) } },
    0,
  ],
  [
    "a row for its own name, as AD FS has it beside IIS",
    { cells: { web1: { [HOST]: served(HOST) } }, evidence: { web1: with_(hostRow(STS, STS, { appId: APPS.adfs })) } },
    0,
  ],
  [
    "an address row of nobody in particular, which ip-row-shadows tells",
    { cells: shadowed, evidence: { web1: with_(ipRow("10.0.0.1:443", STS, { appId: UNKNOWN })) } },
    0,
  ],
  [
    "a row that serves the site well",
    { cells: { web1: { [HOST]: served(HOST) } }, evidence: { web1: with_(hostRow(HOST, HOST, { appId: UNKNOWN })) } },
    0,
  ],
];
test.each(cases)("%s", (_name, script, count) => {
  expect(ask(foreignRowOwner, script).findings).toHaveLength(count);
});

test("does not apply to certfarm, whose table is its own", () => {
  expect(ask(foreignRowOwner, { evidence: { web1: certfarmNode([HOST]) } }).status).toBe("not-applicable");
});
