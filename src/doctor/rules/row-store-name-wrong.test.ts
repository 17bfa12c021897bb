import { expect, test } from "vitest";

import type { EvidenceRow } from "../evidence.ts";
import { binding, bindings, hostRow, iisNode, installed, table } from "../testing/evidence.ts";
import { ask, RESET, served, type Script } from "../testing/examination.ts";
import { rowCertificateMissing } from "./row-certificate-missing.ts";
import { rowStoreNameWrong } from "./row-store-name-wrong.ts";

const HOST = "www.example.com";
function withoutStore(): EvidenceRow {
  const { storeName: _store, ...row } = hostRow(HOST);
  return row;
}
const node = (row: EvidenceRow, store = "WebHosting") =>
  iisNode([HOST], {
    bindings: bindings(binding(HOST, { central: false, sslFlags: 1 })),
    table: table(row),
    certificates: [installed(HOST, { store })],
  });

test("names the row without a store, and the store that holds the certificate", () => {
  const script: Script = { cells: { web1: { [HOST]: RESET } }, evidence: { web1: node(withoutStore()) } };
  const { findings } = ask(rowStoreNameWrong, script);
  expect(findings).toMatchObject([
    {
      summary: "web1: the row www.example.com:443 looks for certificate 7777772E in My, but it is in WebHosting",
      explains: [{ node: "web1", host: HOST }],
    },
  ]);
  expect(findings[0]?.remedy).toContain("certstorename=WebHosting");
  expect(ask(rowCertificateMissing, script).status).toBe("passed");
});

const others: [string, Script, string][] = [
  ["passes when the row names the store", { evidence: { web1: node(hostRow(HOST, HOST, { storeName: "WebHosting" })) } }, "passed"],
  ["passes when no store means My, and it is there, in any case", { evidence: { web1: node(withoutStore(), "MY") } }, "passed"],
  ["passes when the row serves well", { cells: { web1: { [HOST]: served(HOST) } }, evidence: { web1: node(withoutStore()) } }, "passed"],
  ["cannot look without the stores", { evidence: { web1: { table: table(hostRow(HOST)) } } }, "could-not-look"],
  ["does not apply to certfarm", { evidence: { web1: { make: "certfarm" } } }, "not-applicable"],
];
test.each(others)("%s", (_name, script, status) => {
  expect(ask(rowStoreNameWrong, script).status).toBe(status);
});
