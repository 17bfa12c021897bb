import { expect, test } from "vitest";

import type { HostPattern } from "../../base/index.ts";
import type { EvidenceBinding, NodeEvidence, TableEvidence } from "../evidence.ts";
import { ask, RESET, served } from "../testing/examination.ts";
import { centralRowMissing } from "./central-row-missing.ts";

const binding = (changes: Partial<EvidenceBinding> = {}): EvidenceBinding => ({
  site: "Shop",
  protocol: "https",
  address: "*",
  port: 443,
  host: "www.example.com" as HostPattern,
  sni: true,
  central: true,
  sslFlags: 3,
  ...changes,
});
const table = (...rows: TableEvidence["rows"]): TableEvidence => ({ source: "netsh http show sslcert", rows, unread: [] });
const central = { key: { kind: "central", port: 443 }, options: {} } as const;
const evidence = (rows: TableEvidence, ...bindings: EvidenceBinding[]): Partial<NodeEvidence> => ({
  table: rows,
  bindings: { source: "applicationHost.config", bindings },
});

test("names the node whose table lacks the row, with the table, the bindings and the peers that have it", () => {
  const { findings, diagnosis } = ask(centralRowMissing, {
    cells: { web1: { "www.example.com": served("www.example.com") }, web2: { "www.example.com": RESET } },
    evidence: { web1: evidence(table(central), binding()), web2: evidence(table(), binding()) },
  });
  expect(findings).toMatchObject([
    {
      summary: "web2 has no central row on port 443",
      severity: "error",
      differs: true,
      nodes: ["web2"],
      actions: [{ do: "add-central-row", node: "web2", port: 443 }],
      explains: [{ node: "web2", host: "www.example.com" }],
    },
  ]);
  expect(findings[0]?.proof.map(({ text }) => text)).toEqual([
    "no row at all on port 443",
    "1 binding asks for a central certificate on port 443: www.example.com",
    "web1 has the row",
  ]);
  expect(diagnosis.findings).toHaveLength(1);
});

const others: [string, Partial<NodeEvidence>, string][] = [
  ["passes when the row is there", evidence(table(central), binding()), "passed"],
  [
    "does not apply where no site asks for central certificates",
    evidence(table(), binding({ central: false, sslFlags: 1 })),
    "not-applicable",
  ],
  ["cannot look without a table", { bindings: { source: "applicationHost.config", bindings: [binding()] } }, "could-not-look"],
];
test.each(others)("%s", (_name, web1, status) => {
  expect(ask(centralRowMissing, { evidence: { web1 } }).status).toBe(status);
});
