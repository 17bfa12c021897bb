import { expect, test } from "vitest";

import type { NodeEvidence } from "../evidence.ts";
import { certfarmNode } from "../testing/evidence.ts";
import { ask, at, served } from "../testing/examination.ts";
import { storeStale } from "./store-stale.ts";

const HOST = "www.example.com";
const stale = (): NodeEvidence => certfarmNode([HOST], { store: { source: "node", staleSince: at(-0.5) } });
const ok = { [HOST]: served(HOST) };

test("a node that serves an older certificate since it lost the store", () => {
  const { findings } = ask(storeStale, {
    cells: { web1: ok, web2: { [HOST]: served("old", { dnsNames: [HOST] }) }, web3: ok },
    evidence: { web1: certfarmNode([HOST]), web2: stale(), web3: certfarmNode([HOST]) },
  });
  expect(findings).toMatchObject([
    {
      summary: "web2 has not reached the store since 2026-06-15 00:00 UTC",
      severity: "error",
      nodes: ["web2"],
      explains: [{ node: "web2", host: HOST }],
    },
  ]);
  expect(findings[0]?.proof.at(-1)?.text).toBe("web1 and web3 reach it");
});

test("while clients notice nothing it is a warning; all nodes together are one finding", () => {
  const { findings } = ask(storeStale, { cells: { web1: ok, web2: ok }, evidence: { web1: stale(), web2: stale() } });
  expect(findings).toMatchObject([{ nodes: ["web1", "web2"], severity: "warning", differs: false, explains: [] }]);
});

test.each([
  ["passes when the store answers", certfarmNode([HOST]), "passed"],
  ["cannot look without a report", {}, "not-applicable"],
])("%s", (_name, web1, status) => {
  expect(ask(storeStale, { evidence: { web1 } }).status).toBe(status);
});
