import { expect, test } from "vitest";

import type { NodeEvidence } from "../evidence.ts";
import { anyRow, binding, bindings, centralRow, iisNode, ip, ipRow, table } from "../testing/evidence.ts";
import { ask, RESET, served, wrong, type Script } from "../testing/examination.ts";
import { ipRowMissesTraffic } from "./ip-row-misses-traffic.ts";

const HOST = "www.example.com";
const VIP = "203.0.113.9";
const LB = `lb@${VIP}:443`;
const right = { [HOST]: served(HOST) };
const node = (address: string, changes: Partial<NodeEvidence> = {}): NodeEvidence =>
  iisNode([HOST], {
    addresses: [ip(address), ip(VIP), ip("127.0.0.1")],
    table: table(ipRow(`${address}:443`, HOST)),
    bindings: bindings(binding(HOST, { sni: false, central: false, sslFlags: 0 })),
    ...changes,
  });
const evidence = { web1: node("10.0.0.1"), web2: node("10.0.0.2") };
const script = (seen: NonNullable<Script["cells"]>[string], nodes: Script["evidence"] = evidence): Script => ({
  cells: { web1: right, web2: right, [LB]: seen },
  balancers: ["lb"],
  evidence: nodes ?? {},
});

test.each([
  ["a reset", RESET],
  ["another certificate", wrong("default.example.com")],
])("%s through the balancer, while the nodes are right: their rows are for their own addresses", (_name, outcome) => {
  const { findings, diagnosis } = ask(ipRowMissesTraffic, script({ [HOST]: outcome }));
  expect(findings).toMatchObject([
    {
      summary: "web1 and web2: no row for 203.0.113.9:443, where the balancer's connections arrive",
      nodes: ["web1", "web2"],
      hosts: [HOST],
      explains: [{ node: "lb", host: HOST }],
    },
  ]);
  expect(findings[0]?.proof[0]?.text).toContain("the row that answers directly is 10.0.0.1:443");
  expect(diagnosis.findings).toHaveLength(1);
});

const others: [string, Script, string][] = [
  ["passes when the balancer is right", script(right), "passed"],
  [
    "passes when rows name no address",
    script({ [HOST]: RESET }, { web1: node("10.0.0.1", { table: table(centralRow(), anyRow(4, HOST)) }) }),
    "passed",
  ],
  [
    "passes when the node does not have the balancer's address",
    script({ [HOST]: RESET }, { web1: node("10.0.0.1", { addresses: [ip("10.0.0.1")] }) }),
    "passed",
  ],
  [
    "passes when the balancer's address is a loopback one, which every machine has",
    { ...script({}), cells: { web1: right, web2: right, "lb@127.0.0.1:443": { [HOST]: RESET } } },
    "passed",
  ],
  ["does not apply without a balancer", { cells: { web1: right }, evidence }, "not-applicable"],
  ["cannot look without the nodes' addresses", script({ [HOST]: RESET }, { web1: iisNode([HOST]) }), "could-not-look"],
];
test.each(others)("%s", (_name, given, status) => {
  expect(ask(ipRowMissesTraffic, given).status).toBe(status);
});
