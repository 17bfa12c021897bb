import { describe, expect, test } from "vitest";

import type { NodeEvidence } from "../evidence.ts";
import type { ProbeOutcome } from "../observation.ts";
import { APPS, binding, bindings, centralRow, certfarmNode, iisNode, installed, ip, ipRow, table } from "../testing/evidence.ts";
import { ask, RESET, served, wrong, type Script } from "../testing/examination.ts";
import { ipRowShadows } from "./ip-row-shadows.ts";

const HOSTS = ["www.example.com", "shop.example.com"];
const OLD = "old.example.com";
const right = Object.fromEntries(HOSTS.map((host) => [host, served(host)]));
const shadowed = Object.fromEntries(HOSTS.map((host) => [host, wrong(OLD)]));
const withRow = (row = ipRow("10.0.0.2:443", OLD), changes: Partial<NodeEvidence> = {}): NodeEvidence =>
  iisNode(HOSTS, { table: table(centralRow(), row), ...changes });

test("names the row whose certificate every host of the node gets, and how to take it out", () => {
  const { findings, diagnosis } = ask(ipRowShadows, {
    cells: { web1: right, web2: shadowed },
    evidence: { web1: iisNode(HOSTS), web2: withRow() },
  });
  expect(findings).toMatchObject([
    {
      summary: "web2 serves one certificate for every name on 10.0.0.2:443",
      severity: "error",
      differs: true,
      remedy: "Take the row out on web2: netsh http delete sslcert ipport=10.0.0.2:443",
      actions: [{ do: "delete-row", node: "web2", key: { kind: "ip", address: "10.0.0.2", port: 443 }, row: ipRow("10.0.0.2:443", OLD) }],
      explains: HOSTS.map((host) => ({ node: "web2", host })),
    },
  ]);
  expect(findings[0]?.proof.map(({ text }) => text)).toEqual([
    "the table has a row for 10.0.0.2:443 with certificate 6F6C642E",
    "www.example.com and shop.example.com: serves CN=old.example.com instead (6F6C642E), which is the row's certificate",
    "bound with SNI on the same port: www.example.com and shop.example.com",
    "web1 has no such row",
  ]);
  expect(diagnosis.findings).toHaveLength(1);
});

describe("an operator's row of a certfarm node", () => {
  const file = "old.example.com.pfx";
  const { thumbprint: _hash, storeName: _store, ...bare } = ipRow("10.0.0.1:443", OLD, { file, appId: APPS.certfarm });
  const node = certfarmNode(HOSTS);
  const central = certfarmNode([...HOSTS, OLD]).central;
  const evidence = {
    web1: {
      ...node,
      ...(central === undefined ? {} : { central }),
      table: { ...table(centralRow(), bare), reconcile: "observe" as const },
    },
  };

  test("is known by the file that it names", () => {
    const { findings } = ask(ipRowShadows, { cells: { web1: shadowed }, evidence });
    expect(findings).toMatchObject([
      { remedy: "Take the row out on web1: certfarm bindings delete ip:10.0.0.1:443 --node web1", explains: [{}, {}] },
    ]);
  });
});

const latent: [string, Script, number][] = [
  ["nobody dialled", { evidence: { web1: withRow(ipRow("10.0.0.1:443", OLD)) } }, 1],
  [
    "only another address was dialled",
    { cells: { "web1@10.9.9.9:443": right }, evidence: { web1: withRow(ipRow("10.0.0.1:443", OLD)) } },
    1,
  ],
  [
    "every host that is bound was served well there",
    { cells: { web1: right }, evidence: { web1: withRow(ipRow("10.0.0.1:443", OLD)) } },
    0,
  ],
  [
    "its certificate is right for every host that is bound",
    { evidence: { web1: withRow(ipRow("10.0.0.1:443", OLD), { certificates: [installed(OLD, { dnsNames: ["*.example.com"] })] }) } },
    0,
  ],
  ["the node does not have the address", { evidence: { web1: withRow(ipRow("10.0.0.7:443", OLD), { addresses: [ip("10.0.0.1")] }) } }, 0],
  [
    "no host with SNI is bound there: the row is the site's own",
    {
      evidence: {
        web1: withRow(ipRow("10.0.0.1:443", OLD), { bindings: bindings(binding(OLD, { sni: false, central: false, sslFlags: 0 })) }),
      },
    },
    0,
  ],
  [
    "another service made it: that is a cause of its own",
    { evidence: { web1: withRow(ipRow("10.0.0.1:443", OLD, { appId: APPS.adfs })) } },
    0,
  ],
];
test.each(latent)("when %s", (_name, script, count) => {
  expect(ask(ipRowShadows, script).findings).toHaveLength(count);
});

const translated: [string, ProbeOutcome, number][] = [
  ["a certificate that is not the row's", wrong("elsewhere.example.com"), 0],
  ["a reset", RESET, 0],
  ["the row's certificate", wrong(OLD), 1],
];
test.each(translated)("behind an address that is translated on the way, %s", (_name, outcome, explained) => {
  const { findings } = ask(ipRowShadows, {
    cells: { "web1@203.0.113.5:443": { [HOSTS[0] ?? ""]: outcome } },
    evidence: { web1: withRow(ipRow("10.0.0.1:443", OLD), { addresses: [ip("127.0.0.1"), ip("10.0.0.1")] }) },
  });
  expect(findings[0]?.explains ?? []).toHaveLength(explained);
});

test("does not apply to nginx, and cannot look without a table", () => {
  expect(ask(ipRowShadows, { evidence: { web1: { make: "nginx" } } }).status).toBe("not-applicable");
  expect(ask(ipRowShadows, { cells: { web1: right } }).why).toBe(
    "no node's binding table: on IIS save `netsh http show sslcert` as NODE/netsh.txt",
  );
});
