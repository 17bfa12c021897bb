import { expect, test } from "vitest";

import type { InstalledCertificate } from "../evidence.ts";
import { binding, bindings, event, hostRow, iisNode, installed, table } from "../testing/evidence.ts";
import { ask, RESET, served, type Script } from "../testing/examination.ts";
import { keySpecWrong } from "./key-spec-wrong.ts";

const HOST = "www.example.com";
const node = (certificate: InstalledCertificate) =>
  iisNode([HOST], {
    bindings: bindings(binding(HOST, { central: false, sslFlags: 1 })),
    table: table(hostRow(HOST)),
    certificates: [certificate],
    events: [event("Schannel", 36888, "alert 80, state 1250")],
  });

test.each([
  [0, "KeySpec is 0 (none), not 1 (AT_KEYEXCHANGE)"],
  [2, "KeySpec is 2 (AT_SIGNATURE), not 1 (AT_KEYEXCHANGE)"],
])("KeySpec %i is the cause of a reset", (keySpec, text) => {
  const { findings } = ask(keySpecWrong, { cells: { web1: { [HOST]: RESET } }, evidence: { web1: node(installed(HOST, { keySpec })) } });
  expect(findings).toMatchObject([{ nodes: ["web1"], explains: [{ node: "web1", host: HOST }] }]);
  expect(findings[0]?.proof.map((proof) => proof.text)).toEqual([
    text,
    `${HOST}: reset after the ClientHello, without an alert`,
    "event 36888 at 2026-06-15 09:36 UTC: alert 80, state 1250",
  ]);
});

const { keySpec: _none, ...cng } = installed(HOST);
const others: [string, Script, string][] = [
  ["passes with AT_KEYEXCHANGE", { evidence: { web1: node(installed(HOST)) } }, "passed"],
  ["passes with a key of a newer provider, which has none", { evidence: { web1: node(cng) } }, "passed"],
  [
    "passes when the row serves well",
    { cells: { web1: { [HOST]: served(HOST) } }, evidence: { web1: node(installed(HOST, { keySpec: 2 })) } },
    "passed",
  ],
  ["cannot look without the stores", { evidence: { web1: { table: table(hostRow(HOST)) } } }, "could-not-look"],
];
test.each(others)("%s", (_name, script, status) => {
  expect(ask(keySpecWrong, script).status).toBe(status);
});
