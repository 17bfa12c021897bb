import { expect, test } from "vitest";

import type { NodeEvidence } from "../evidence.ts";
import { certfarmNode, iisNode } from "../testing/evidence.ts";
import { ask, at, served, type Script } from "../testing/examination.ts";
import { refusalsGrowing } from "./refusals-growing.ts";

type Recent = NonNullable<NonNullable<NodeEvidence["refusals"]>["recent"]>["byReason"];
const node = (byReason: Recent, total = 900): NodeEvidence =>
  certfarmNode(["www.example.com"], { refusals: { source: "journal", total, byReason: {}, recent: { since: at(-1 / 96), byReason } } });

test("refusals of the last minutes for reasons of the node's own are a notice", () => {
  const { findings } = ask(refusalsGrowing, { evidence: { web1: node({ "no-row": 7, overloaded: 1, "no-certificate": 400 }) } });
  expect(findings).toMatchObject([
    { summary: "web1 refused 8 handshakes since 2026-06-15 11:45 UTC for reasons of its own", severity: "notice" },
  ]);
  expect(findings[0]?.proof[0]?.text).toBe(
    "7 × no-row (no row of the table took the connection) and 1 × overloaded (too many handshakes at once)",
  );
});

test("where every host is served now, refusals that a dead host would show are over", () => {
  const cells = { web1: { "www.example.com": served("www.example.com") } };
  expect(ask(refusalsGrowing, { cells, evidence: { web1: node({ "no-row": 7 }) } }).status).toBe("passed");
  const { findings } = ask(refusalsGrowing, { cells, evidence: { web1: node({ "no-row": 7, overloaded: 1 }) } });
  expect(findings[0]?.summary).toContain("web1 refused 1 handshake since");
});

test.each<[string, Script["evidence"], string]>([
  [
    "scanners and clients without SNI do not count",
    { web1: node({ "no-certificate": 400, "no-server-name": 20, "malformed-hello": 3, "not-tls": 1 }) },
    "passed",
  ],
  ["what lies further back does not count", { web1: node({}, 5000) }, "passed"],
  ["does not apply to IIS", { web1: iisNode(["www.example.com"]) }, "not-applicable"],
  ["cannot look without times", { web1: certfarmNode(["www.example.com"]) }, "could-not-look"],
])("%s", (_name, evidence, status) => {
  expect(ask(refusalsGrowing, { evidence: evidence ?? {} }).status).toBe(status);
});
