import { describe, expect, test } from "vitest";

import { diagnose } from "./diagnose.ts";
import { RULES } from "./rules/index.ts";
import { FILE_CAUSES } from "./testing/catalogue/file-causes.ts";
import { HEALTHY_FILES } from "./testing/catalogue/healthy-files.ts";
import { NODE_CAUSES } from "./testing/catalogue/node-causes.ts";
import { WIRE_CAUSES } from "./testing/catalogue/wire-causes.ts";
import { centralRow, certfarmNode, iisNode, ipRow, table } from "./testing/evidence.ts";
import { examine, RESET, served, wrong, type Script } from "./testing/examination.ts";

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
  ...HEALTHY_FILES.map(([name, script]): [string, Script] => [name, script]),
];

test.each(healthy)("a healthy farm of %s gives no finding", (_name, script) => {
  const { findings, rules } = diagnose(examine(script), RULES);
  expect(findings.map(({ code, summary }) => [code, summary])).toEqual([]);
  expect(rules.filter(({ status }) => status === "failed")).toEqual([]);
});

const SHADOW = ipRow("10.0.0.4:443", "old.example.com");
const story: [string, Script][] = [
  [
    "IIS",
    {
      cells: { web1: RIGHT, web2: dead(RESET), web3: dead(RESET), web4: dead(wrong("old.example.com")) },
      evidence: {
        web1: iisNode(HOSTS),
        web2: iisNode(HOSTS, { table: table() }),
        web3: iisNode(HOSTS, { table: table() }),
        web4: iisNode(HOSTS, { table: table(centralRow(), SHADOW) }),
      },
    },
  ],
  [
    "certfarm",
    {
      cells: {
        web1: RIGHT,
        web2: dead({ kind: "alert", alert: "unrecognized_name" }),
        web3: dead({ kind: "alert", alert: "unrecognized_name" }),
        web4: dead(wrong("old.example.com")),
      },
      evidence: {
        web1: certfarmNode(HOSTS),
        web2: certfarmNode(HOSTS, { table: { ...table(), reconcile: "observe" } }),
        web3: certfarmNode(HOSTS, { table: { ...table(), reconcile: "observe" } }),
        web4: certfarmNode(HOSTS, { table: { ...table(centralRow(), SHADOW), reconcile: "observe" } }),
      },
    },
  ],
];

function dead(outcome: ReturnType<typeof served> | typeof RESET): Record<string, typeof outcome> {
  return Object.fromEntries(HOSTS.map((host) => [host, outcome]));
}

test.each(story)(
  "%s: one node right, two without the central row, one with a row that shadows: exactly these causes on these nodes",
  (_name, script) => {
    const { findings, symptoms } = diagnose(examine(script), RULES);
    const told = findings.map(({ code, nodes, severity }) => `${severity}: ${code} on ${nodes.join(", ")}`);
    expect(told).toHaveLength(3);
    expect(new Set(told)).toEqual(
      new Set(["error: central-row-missing on web2", "error: central-row-missing on web3", "error: ip-row-shadows on web4"]),
    );
    expect(symptoms).toHaveLength(3 * HOSTS.length);
    expect(findings.flatMap(({ explains }) => explains)).toHaveLength(symptoms.length);
  },
);
