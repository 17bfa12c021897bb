import { describe, expect, test } from "vitest";

import { diffTables, type Row } from "../../bindings/index.ts";
import type { EvidenceRow, NodeEvidence } from "../evidence.ts";
import { anyRow, binding, bindings, centralRow, centralStore, certfarmNode, event, hostRow, iisNode, table } from "../testing/evidence.ts";
import { ask, RESET, served, wrong, type Script } from "../testing/examination.ts";
import { centralRowMissing } from "./central-row-missing.ts";

const HOST = "www.example.com";
const right = { [HOST]: served(HOST) };
const reset = { [HOST]: RESET };

test("names the node whose table lacks the row, with the table, the bindings and the peers that have it", () => {
  const { findings, diagnosis } = ask(centralRowMissing, {
    cells: { web1: right, web2: reset },
    evidence: { web1: iisNode([HOST]), web2: iisNode([HOST], { table: table() }) },
  });
  expect(findings).toMatchObject([
    {
      summary: "web2 has no central row on port 443",
      severity: "error",
      certainty: "certain",
      differs: true,
      nodes: ["web2"],
      remedy: "On web2: netsh http add sslcert ccs=443 appid={4dc3e181-e14b-4a21-b022-59fc669b0914}",
      actions: [{ do: "add-central-row", node: "web2", port: 443 }],
      explains: [{ node: "web2", host: HOST }],
    },
  ]);
  expect(findings[0]?.proof.map(({ text }) => text)).toEqual([
    "no row at all on port 443",
    `1 binding asks for a central certificate on port 443: ${HOST}`,
    "web1 has the row",
  ]);
  expect(diagnosis.findings).toHaveLength(1);
});

describe("explains what the row would have served, and nothing else", () => {
  const without = (cell: NonNullable<Script["cells"]>[string][string], rows: readonly EvidenceRow[], changes: Partial<NodeEvidence> = {}) =>
    ask(centralRowMissing, {
      cells: { web1: { [HOST]: cell } },
      evidence: { web1: iisNode([HOST], { table: table(...rows), ...changes }) },
    });

  const cells: [string, ReturnType<typeof without>, number][] = [
    ["a reset, when no row takes the host", without(RESET, []), 1],
    ["an alert, when no row takes the host", without({ kind: "alert", alert: "unrecognized_name" }, []), 1],
    ["the certificate of 0.0.0.0:443, which answers in its stead", without(wrong("old.example.com"), [anyRow(4, "old.example.com")]), 1],
    ["not a reset of a host that has its own row", without(RESET, [hostRow(HOST)]), 0],
    ["not a wrong certificate that no row of the table names", without(wrong("elsewhere.example.com"), [anyRow(4, "old.example.com")]), 0],
    ["not a refused connection", without({ kind: "refused" }, []), 0],
    ["not a timeout", without({ kind: "timeout", during: "handshake" }, []), 0],
    [
      "not a host that is bound without central certificates",
      without(RESET, [], { bindings: bindings(binding("a.example.com"), binding(HOST, { central: false })) }),
      0,
    ],
  ];
  test.each(cells)("%s", (_name, { findings }, explained) => {
    expect(findings[0]?.explains).toHaveLength(explained);
  });
});

test("without bindings of a node it says so, when its peers have the row and its handshakes fail", () => {
  const netshOnly = (rows: ReturnType<typeof table>): Partial<NodeEvidence> => ({ table: rows });
  const script: Script = {
    cells: { web1: right, web2: reset },
    evidence: { web1: netshOnly(table(centralRow())), web2: netshOnly(table()) },
  };
  expect(ask(centralRowMissing, script).findings).toMatchObject([
    { nodes: ["web2"], certainty: "likely", decides: "the bindings of web2: its applicationHost.config", explains: [{ node: "web2" }] },
  ]);
  expect(ask(centralRowMissing, { ...script, cells: { web1: right, web2: right } }).status).toBe("passed");
});

test("a certfarm node that misses the row by its own account needs no other witness", () => {
  const { bindings: _bindings, ...node } = certfarmNode([HOST]);
  const desired: Row = { key: { kind: "central", port: 443 }, origin: "configuration", appId: "{c7a3d0e2-5b94-4f61-9d27-6e10f84ab35c}" };
  const web1 = { ...node, table: { ...table(), drift: diffTables({ rows: [desired] }, { rows: [] }), reconcile: "observe" as const } };
  expect(
    ask(centralRowMissing, { cells: { web1: { [HOST]: { kind: "alert", alert: "unrecognized_name" } } }, evidence: { web1 } }).findings,
  ).toMatchObject([{ summary: "web1 has no central row on port 443", certainty: "certain", explains: [{ node: "web1", host: HOST }] }]);
});

const others: [string, Partial<NodeEvidence>, string][] = [
  ["passes when the row is there", iisNode([HOST]), "passed"],
  [
    "does not apply where no site asks for central certificates",
    iisNode([HOST], { bindings: bindings(binding(HOST, { central: false, sslFlags: 1 })), table: table() }),
    "not-applicable",
  ],
  ["does not apply to nginx", { make: "nginx" }, "not-applicable"],
  ["cannot look without a table", { bindings: bindings(binding(HOST)) }, "could-not-look"],
  [
    "leaves a node without the feature to the rule for it",
    iisNode([HOST], { table: table(), central: centralStore([], { installed: false }) }),
    "passed",
  ],
  [
    "leaves a node that wipes its rows to the rule for it",
    iisNode([HOST], {
      table: table(),
      configuration: { source: "applicationHost.config", legacyBindingData: true },
      events: [event("HttpEvent", 15300)],
    }),
    "passed",
  ],
];
test.each(others)("%s", (_name, web1, status) => {
  expect(ask(centralRowMissing, { evidence: { web1 } }).status).toBe(status);
});
