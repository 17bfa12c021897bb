import { expect, test } from "vitest";

import { anyRow, binding, bindings, centralRow, hostRow, iisNode, table } from "../testing/evidence.ts";
import { ask, at, RESET, served, wrong, type Script } from "../testing/examination.ts";
import { ipv6RowAnswers } from "./ipv6-row-answers.ts";

const HOST = "www.example.com";
const V6 = "web1@[fd00::1]:443";
const expired = served("old", { dnsNames: [HOST], notAfter: at(-2), verified: "CERT_HAS_EXPIRED" });
const evidence = {
  web1: iisNode([HOST], {
    table: table(anyRow(4, HOST), anyRow(6, "old")),
    bindings: bindings(binding(HOST, { sni: false, central: false, sslFlags: 0 })),
  }),
};
const right = { [HOST]: served(HOST) };

test("names the row for [::] whose certificate only IPv6 clients get", () => {
  const { findings, diagnosis } = ask(ipv6RowAnswers, { cells: { web1: right, [V6]: { [HOST]: expired } }, evidence });
  expect(findings).toMatchObject([
    {
      summary: "web1 answers over IPv6 with another certificate than over IPv4",
      nodes: ["web1"],
      certainty: "certain",
      actions: [{ do: "delete-row", node: "web1", key: { kind: "any", family: 6, port: 443 } }],
      explains: [{ node: "web1", host: HOST, endpoint: { address: "fd00::1", port: 443 } }],
    },
  ]);
  expect(findings[0]?.proof.map(({ text }) => text)).toEqual([
    `${HOST}: right over IPv4; over IPv6 CN=old: CERT_HAS_EXPIRED`,
    "the row [::]:443 has certificate 6F6C6400, which is what [fd00::1]:443 serves",
  ]);
  expect(diagnosis.findings).toHaveLength(1);
});

test("without a table it is likely, as another machine may answer there", () => {
  expect(ask(ipv6RowAnswers, { cells: { web1: right, [V6]: { [HOST]: expired } } }).findings).toMatchObject([
    { certainty: "likely", others: ["[fd00::1]:443 is another machine"], decides: "the binding table of web1", actions: [] },
  ]);
});

const others: [string, Script, string][] = [
  ["does not apply when IPv4 alone was dialled", { cells: { web1: { [HOST]: expired } }, evidence }, "not-applicable"],
  ["passes when both are right", { cells: { web1: right, [V6]: right }, evidence }, "passed"],
  ["passes when both are wrong", { cells: { web1: { [HOST]: wrong("x") }, [V6]: { [HOST]: wrong("x") } }, evidence }, "passed"],
  ["passes on a reset over IPv6", { cells: { web1: right, [V6]: { [HOST]: RESET } }, evidence }, "passed"],
  [
    "passes when no row for [::] has that certificate",
    {
      cells: { web1: right, [V6]: { [HOST]: expired } },
      evidence: { web1: iisNode([HOST], { table: table(centralRow(), hostRow("a.example.com")) }) },
    },
    "passed",
  ],
];
test.each(others)("%s", (_name, script, status) => {
  expect(ask(ipv6RowAnswers, script).status).toBe(status);
});
