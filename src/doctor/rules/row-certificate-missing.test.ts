import { expect, test } from "vitest";

import type { EvidenceRow } from "../evidence.ts";
import {
  anyRow,
  APPS,
  binding,
  bindings,
  centralRow,
  certfarmNode,
  event,
  hostRow,
  iisNode,
  installed,
  ipRow,
  table,
} from "../testing/evidence.ts";
import { ask, RESET, served, type Script } from "../testing/examination.ts";
import { rowCertificateMissing } from "./row-certificate-missing.ts";

const HOST = "www.example.com";
const named = bindings(binding(HOST, { central: false, sslFlags: 1 }));
const node = (...certificates: readonly ReturnType<typeof installed>[]) =>
  iisNode([HOST], {
    bindings: named,
    table: table(hostRow(HOST)),
    certificates,
    events: [event("HttpEvent", 15021, "An error occurred while using SSL configuration")],
  });

test("names the row, its hash, the stores that were looked at, and the event", () => {
  const { findings, diagnosis } = ask(rowCertificateMissing, {
    cells: { web1: { [HOST]: served(HOST) }, web2: { [HOST]: RESET } },
    evidence: { web1: node(installed(HOST)), web2: node(installed("other.example.com", { store: "WebHosting" })) },
  });
  expect(findings).toMatchObject([
    {
      summary: "web2: the row www.example.com:443 names certificate 7777772E, which is not there",
      nodes: ["web2"],
      explains: [{ node: "web2", host: HOST }],
    },
  ]);
  expect(findings[0]?.proof.map(({ text }) => text)).toEqual([
    "www.example.com:443 names certificate 7777772E in the store My",
    "1 certificate in WebHosting, not this one",
    "www.example.com: reset after the ClientHello, without an alert",
    "event 15021 at 2026-06-15 09:36 UTC: An error occurred while using SSL configuration",
  ]);
  expect(diagnosis.findings).toHaveLength(1);
});

function withFile(file: string): EvidenceRow {
  const { thumbprint: _hash, storeName: _store, ...row } = hostRow(HOST, HOST, { file, appId: APPS.certfarm });
  return row;
}

const others: [string, Script, string][] = [
  ["passes when the certificate is installed", { evidence: { web1: node(installed(HOST)) } }, "passed"],
  [
    "passes when the row serves well: the listing is not complete",
    { cells: { web1: { [HOST]: served(HOST) } }, evidence: { web1: node() } },
    "passed",
  ],
  ["tells it before anybody dials", { evidence: { web1: node() } }, "found"],
  [
    "passes over a hash that is SHA-256",
    { evidence: { web1: iisNode([HOST], { table: table(hostRow(HOST, HOST, { thumbprint: "A".repeat(64) })) }) } },
    "passed",
  ],
  [
    "a certfarm row may name a file that is gone",
    { evidence: { web1: certfarmNode([HOST], { table: table(withFile("gone.pfx")) }) } },
    "found",
  ],
  [
    "passes when that file is there",
    { evidence: { web1: certfarmNode([HOST], { table: table(centralRow(), withFile(`${HOST}.pfx`)) }) } },
    "passed",
  ],
  [
    "cannot look without the stores",
    { evidence: { web1: { table: table(ipRow("10.0.0.1:443", HOST), anyRow(4, HOST)) } } },
    "could-not-look",
  ],
];
test.each(others)("%s", (_name, script, status) => {
  expect(ask(rowCertificateMissing, script).status).toBe(status);
});
