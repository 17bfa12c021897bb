import { expect, test } from "vitest";

import type { NodeEvidence } from "../evidence.ts";
import { certfarmNode, iisNode } from "../testing/evidence.ts";
import { ask, served, type Script } from "../testing/examination.ts";
import { nodeDraining } from "./node-draining.ts";

const HOST = "www.example.com";
const system = { source: "node web2", name: "web2", version: "0.1.0", resources: { rssBytes: 1, connections: 4, cpuSeconds: 1 } };
const node = (draining: boolean): NodeEvidence => certfarmNode([HOST], { system: { ...system, draining } });

test("a draining node explains that it takes no connections, and is no fault", () => {
  const { findings } = ask(nodeDraining, {
    cells: { web1: { [HOST]: served(HOST) }, web2: { [HOST]: { kind: "refused" } } },
    evidence: { web1: node(false), web2: node(true) },
  });
  expect(findings).toMatchObject([
    { summary: "web2 is draining", severity: "notice", actions: [], explains: [{ node: "web2", host: HOST }] },
  ]);
  expect(findings[0]?.proof[0]?.text).toBe("it lets its clients go, 4 are left");
});

test.each<[string, Script["evidence"], string]>([
  ["passes when none is", { web1: node(false) }, "passed"],
  ["does not apply to IIS", { web1: iisNode([HOST]) }, "not-applicable"],
])("%s", (_name, evidence, status) => {
  expect(ask(nodeDraining, { evidence: evidence ?? {} }).status).toBe(status);
});
