import { expect, test } from "vitest";

import type { EvidenceBinding, NodeEvidence } from "../evidence.ts";
import { binding, bindings, hostRow, iisNode, table } from "../testing/evidence.ts";
import { ask, served, type Script } from "../testing/examination.ts";
import { bindingFlagsDiffer } from "./binding-flags-differ.ts";

const HOST = "www.example.com";
const node = (changes: Partial<EvidenceBinding>): NodeEvidence =>
  iisNode([HOST], { bindings: bindings(binding(HOST, changes), binding("b.example.com")) });

test("names the server that lost the bit for central certificates, and the older certificate that came of it", () => {
  const old = served("old", { dnsNames: [HOST] });
  const { findings } = ask(bindingFlagsDiffer, {
    cells: { web1: { [HOST]: served(HOST) }, web2: { [HOST]: served(HOST) }, web3: { [HOST]: old } },
    evidence: { web1: node({}), web2: node({}), web3: { ...node({ central: false, sslFlags: 1 }), table: table(hostRow(HOST, "old")) } },
  });
  expect(findings).toMatchObject([
    {
      summary: "web3: sslFlags is 1 instead of 3 for www.example.com",
      severity: "error",
      hosts: [HOST],
      explains: [{ node: "web3", host: HOST }],
    },
  ]);
});

const others: [string, Script["evidence"], string | undefined][] = [
  ["of two servers the one without central certificates", { web1: node({ central: false, sslFlags: 1 }), web2: node({}) }, "web1 warning"],
  [
    "a feature bit",
    {
      web1: node({ central: false, sslFlags: 33 }),
      web2: node({ central: false, sslFlags: 1 }),
      web3: node({ central: false, sslFlags: 1 }),
    },
    "web1 warning",
  ],
  ["equal flags", { web1: node({}), web2: node({}) }, undefined],
];
test.each(others)("%s", (_name, evidence, expected) => {
  const [finding] = ask(bindingFlagsDiffer, { evidence: evidence ?? {} }).findings;
  expect(finding === undefined ? undefined : [...finding.nodes, finding.severity].join(" ")).toBe(expected);
});

test("does not apply to one server, and cannot look without bindings", () => {
  expect(ask(bindingFlagsDiffer, { evidence: { web1: node({}) } }).status).toBe("not-applicable");
  expect(ask(bindingFlagsDiffer, { evidence: { web1: {} } }).status).toBe("could-not-look");
});
