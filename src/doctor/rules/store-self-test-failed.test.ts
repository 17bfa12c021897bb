import { expect, test } from "vitest";

import type { NodeEvidence } from "../evidence.ts";
import { certfarmNode } from "../testing/evidence.ts";
import { ask, at } from "../testing/examination.ts";
import { storeSelfTestFailed } from "./store-self-test-failed.ts";

const HOST = "www.example.com";
const failing = (step: string, changes = {}): NodeEvidence =>
  certfarmNode([HOST], {
    store: { source: "node", selfTest: { kind: "failed", step, message: "EROFS: read-only file system" }, ...changes },
  });

test("nodes on which the same step fails are one finding", () => {
  const { findings } = ask(storeSelfTestFailed, {
    evidence: { web1: failing("write"), web2: failing("write"), web3: failing("delete"), web4: certfarmNode([HOST]) },
  });
  expect(findings.map(({ summary }) => summary).toSorted()).toEqual([
    "web1 and web2: the self-test of the store fails at: write",
    "web3: the self-test of the store fails at: delete",
  ]);
  expect(findings[0]?.proof[0]?.text).toBe("EROFS: read-only file system");
});

test.each([
  ["passes when the test passed", certfarmNode([HOST]), "passed"],
  ["leaves a store that does not answer to the rule for it", failing("write", { staleSince: at(-1) }), "passed"],
  ["cannot look when no test was made", certfarmNode([HOST], { store: { source: "node" } }), "could-not-look"],
])("%s", (_name, web1, status) => {
  expect(ask(storeSelfTestFailed, { evidence: { web1 } }).status).toBe(status);
});
