import { expect, test } from "vitest";

import type { NodeEvidence } from "../evidence.ts";
import { certfarmNode, iisNode } from "../testing/evidence.ts";
import { ask, at, type Script } from "../testing/examination.ts";
import { requestForged } from "./request-forged.ts";

type Recent = NonNullable<NodeEvidence["requests"]>["recent"];
const node = (recent: Partial<Recent>, total = 9): NodeEvidence =>
  certfarmNode(["www.example.com"], { requests: { source: "node web1", total, recent: { since: at(-1 / 24), byReason: {}, ...recent } } });

test("requests that no admin signed are told with what was wrong with them", () => {
  const evidence = { web1: node({ byReason: { unsigned: 2, replayed: 1 }, last: "it was used before" }) };
  const { findings } = ask(requestForged, { evidence });
  expect(findings).toMatchObject([
    { summary: "web1 refused 3 requests since 2026-06-15 11:00 UTC that no admin of the farm signed for it", severity: "warning" },
  ]);
  expect(findings[0]?.proof.map(({ text }) => text)).toEqual([
    "2 × unsigned and 1 × replayed",
    "the last one: it was used before",
    "9 since the node started",
  ]);
});

test.each<[string, Script["evidence"], string]>([
  ["what lies further back does not count", { web1: node({}) }, "passed"],
  ["does not apply to IIS", { web1: iisNode(["www.example.com"]) }, "not-applicable"],
  ["cannot look where no node tells", { web1: certfarmNode(["www.example.com"]) }, "could-not-look"],
])("%s", (_name, evidence, status) => {
  expect(ask(requestForged, { evidence: evidence ?? {} }).status).toBe(status);
});
