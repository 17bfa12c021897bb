import { expect, test } from "vitest";

import type { Gap } from "../evidence.ts";
import { certfarmNode, iisNode } from "../testing/evidence.ts";
import { ask, RESET, served, type Script } from "../testing/examination.ts";
import { connectionRefused } from "./connection-refused.ts";
import { nodeSilent } from "./node-silent.ts";
import { portNotOpen } from "./port-not-open.ts";

const HOSTS = ["www.example.com", "shop.example.com"];
const ok = Object.fromEntries(HOSTS.map((host) => [host, served(host)]));
const refused = Object.fromEntries(HOSTS.map((host) => [host, { kind: "refused" } as const]));
const gap = (node: string): Gap => ({ node, what: "system", why: "it tells nothing of itself: no answer in 5 s" });
const script = (web2: NonNullable<Script["cells"]>[string]): Script => ({
  cells: { web1: ok, web2 },
  evidence: { web1: certfarmNode(HOSTS) },
  changes: { gaps: [gap("web2")] },
});

test("a node that neither tells nor takes connections is down, and that is the only finding", () => {
  const { findings } = ask(nodeSilent, script(refused));
  expect(findings).toMatchObject([
    {
      summary: "web2 is down: it tells nothing of itself and takes no connections",
      severity: "error",
      certainty: "certain",
      explains: HOSTS.map((host) => ({ node: "web2", host })),
    },
  ]);
  for (const rule of [portNotOpen, connectionRefused]) {
    expect(
      ask(rule, { ...script(refused), evidence: { web1: certfarmNode(HOSTS, { listeners: [] }) } }).findings.flatMap(({ nodes }) => nodes),
    ).toEqual(rule === connectionRefused ? ["web2"] : []);
  }
});

test.each([
  ["serves well: a warning", ok, "warning", 0],
  ["resets handshakes, which has another cause", { ...ok, "shop.example.com": RESET }, "warning", 0],
])("a node that tells nothing and %s", (_name, web2, severity, explained) => {
  const [finding] = ask(nodeSilent, script(web2)).findings;
  expect(finding).toMatchObject({ summary: "web2 tells nothing of itself", severity, certainty: "likely" });
  expect(finding?.explains).toHaveLength(explained);
});

test.each<[string, Script, string]>([
  ["passes when every node tells", { evidence: { web1: certfarmNode(HOSTS) } }, "passed"],
  ["does not apply to IIS", { evidence: { web1: iisNode(HOSTS) } }, "not-applicable"],
])("%s", (_name, given, status) => {
  expect(ask(nodeSilent, given).status).toBe(status);
});
