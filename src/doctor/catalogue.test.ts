import { describe, expect, test } from "vitest";

import { diagnose } from "./diagnose.ts";
import { RULES } from "./rules/index.ts";
import { FILE_CAUSES } from "./testing/catalogue/file-causes.ts";
import { NODE_CAUSES } from "./testing/catalogue/node-causes.ts";
import { WIRE_CAUSES } from "./testing/catalogue/wire-causes.ts";
import { certfarmNode, iisNode } from "./testing/evidence.ts";
import { examine, served, type Script } from "./testing/examination.ts";

const ROWS = [...NODE_CAUSES, ...FILE_CAUSES, ...WIRE_CAUSES].toSorted((a, b) => a.cause - b.cause);

describe("each cause of the catalogue is the first finding", () => {
  test.each(ROWS)("$cause: $name", ({ script, first, nodes }) => {
    const { findings, rules } = diagnose(examine(script), RULES);
    expect(rules.filter(({ status }) => status === "failed")).toEqual([]);
    expect(findings[0]?.code, JSON.stringify(findings.map(({ code, summary }) => [code, summary]))).toBe(first);
    if (nodes !== undefined) expect(findings[0]?.nodes).toEqual(nodes);
  });
});

const HOSTS = ["www.example.com", "shop.example.com"];
const RIGHT = Object.fromEntries(HOSTS.map((host) => [host, served(host)]));

const healthy: [string, Script][] = [
  ["IIS servers", { cells: { web1: RIGHT, web2: RIGHT }, evidence: { web1: iisNode(HOSTS), web2: iisNode(HOSTS) } }],
  ["certfarm nodes", { cells: { web1: RIGHT, web2: RIGHT }, evidence: { web1: certfarmNode(HOSTS), web2: certfarmNode(HOSTS) } }],
  ["servers that are only dialled", { cells: { web1: RIGHT, web2: RIGHT } }],
];

test.each(healthy)("a healthy farm of %s gives no finding", (_name, script) => {
  const { findings, rules } = diagnose(examine(script), RULES);
  expect(findings.map(({ code, summary }) => [code, summary])).toEqual([]);
  expect(rules.filter(({ status }) => status === "failed")).toEqual([]);
});
