import { describe, expect, test } from "vitest";

import { diffTables, type Row } from "../../bindings/index.ts";
import type { EvidenceRow, NodeEvidence } from "../evidence.ts";
import { APPS, binding, bindings, centralRow, certfarmNode, hostRow, iisNode, pattern, table } from "../testing/evidence.ts";
import { ask, served, wrong, type Script } from "../testing/examination.ts";
import { tableDrift } from "./table-drift.ts";

const HOST = "www.example.com";

describe("a certfarm node", () => {
  const central: Row = { key: { kind: "central", port: 443 }, origin: "configuration", appId: APPS.certfarm };
  const manual: Row = { key: { kind: "host", host: pattern(HOST), port: 443 }, file: "old.pfx", origin: "operator", appId: APPS.certfarm };
  const address: Row = {
    key: { kind: "ip", address: "10.0.0.1" as never, port: 443 },
    file: "old.pfx",
    origin: "operator",
    appId: APPS.certfarm,
  };
  const node = (actual: readonly Row[], reconcile: "mend" | "observe"): NodeEvidence =>
    certfarmNode([HOST], {
      table: { ...table(centralRow()), drift: diffTables({ rows: [central] }, { rows: actual }, new Set([`host:${HOST}:443`])), reconcile },
    });

  test("that only observes keeps a row that somebody added: it explains the wrong certificate", () => {
    const { findings } = ask(tableDrift, {
      cells: { web1: { [HOST]: wrong("old") } },
      evidence: { web1: node([central, manual], "observe") },
    });
    expect(findings).toMatchObject([
      {
        summary: "web1: 1 row differs from the configuration, and the node only observes",
        severity: "error",
        actions: [{ do: "resync", node: "web1", part: "table" }],
        explains: [{ node: "web1", host: HOST }],
      },
    ]);
  });

  test.each<[string, readonly Row[], "mend" | "observe", string | undefined]>([
    ["that mends will put it right: a notice", [central, manual], "mend", "notice"],
    ["that observes and serves well all the same: a warning", [central, manual], "observe", "warning"],
    ["without the central row has a rule of its own", [], "observe", undefined],
    ["with a row for an address has a rule of its own", [central, address], "observe", undefined],
  ])("%s", (_name, actual, reconcile, severity) => {
    expect(ask(tableDrift, { evidence: { web1: node(actual, reconcile) } }).findings[0]?.severity).toBe(severity);
  });
});

describe("IIS servers", () => {
  const named = bindings(binding(HOST, { central: false, sslFlags: 1 }));
  const node = (...rows: readonly EvidenceRow[]): NodeEvidence => iisNode([HOST], { bindings: named, table: table(...rows) });
  const old = served("old", { dnsNames: [HOST] });

  test("a certificate that was renewed on the others only", () => {
    const { findings } = ask(tableDrift, {
      cells: { web1: { [HOST]: served(HOST) }, web2: { [HOST]: old }, web3: { [HOST]: served(HOST) } },
      evidence: { web1: node(hostRow(HOST)), web2: node(hostRow(HOST, "old")), web3: node(hostRow(HOST)) },
    });
    expect(findings).toMatchObject([
      {
        summary: "web2: www.example.com:443 has another certificate than on its peers",
        severity: "error",
        hosts: [HOST],
        explains: [{ node: "web2", host: HOST }],
      },
    ]);
    expect(findings[0]?.proof[0]?.text).toBe("www.example.com:443 has certificate 6F6C6400, on most peers certificate 7777772E");
  });

  const others: [string, Script["evidence"], string][] = [
    ["passes when they are alike", { web1: node(hostRow(HOST)), web2: node(hostRow(HOST)) }, "passed"],
    [
      "passes over rows of other applications",
      { web1: node(hostRow(HOST, "a", { appId: APPS.adfs })), web2: node(hostRow(HOST)) },
      "passed",
    ],
    ["tells it before anybody dials", { web1: node(hostRow(HOST, "a")), web2: node(hostRow(HOST)) }, "found"],
    ["cannot look without tables", { web1: {} }, "could-not-look"],
  ];
  test.each(others)("%s", (_name, evidence, status) => {
    expect(ask(tableDrift, { evidence: evidence ?? {} }).status).toBe(status);
  });
});
