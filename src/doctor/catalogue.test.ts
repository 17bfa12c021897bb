import { describe, expect, test } from "vitest";

import { diagnose } from "./diagnose.ts";
import type { NodeEvidence } from "./evidence.ts";
import { RULES } from "./rules/index.ts";
import { CERTIFICATE_CAUSES } from "./testing/catalogue/certificate-causes.ts";
import { FILE_CAUSES } from "./testing/catalogue/file-causes.ts";
import { HEALTHY_FILES } from "./testing/catalogue/healthy-files.ts";
import { NODE_CAUSES } from "./testing/catalogue/node-causes.ts";
import { NOT_TOLD_APART } from "./testing/catalogue/not-told-apart.ts";
import { PATH_CAUSES } from "./testing/catalogue/path-causes.ts";
import { WIRE_CAUSES } from "./testing/catalogue/wire-causes.ts";
import { binding, bindings, centralRow, certfarmNode, iisNode, installed, ipRow, listener, table } from "./testing/evidence.ts";
import { examine, RESET, served, wrong, type Script } from "./testing/examination.ts";

const ROWS = [...NODE_CAUSES, ...FILE_CAUSES, ...CERTIFICATE_CAUSES, ...WIRE_CAUSES, ...PATH_CAUSES].toSorted((a, b) => a.cause - b.cause);

describe("each cause of the catalogue is the first finding", () => {
  test.each(ROWS)("$cause: $name", ({ script, first, nodes }) => {
    const { findings, rules } = diagnose(examine(script), RULES);
    expect(rules.filter(({ status }) => status === "failed")).toEqual([]);
    expect(findings[0]?.code, JSON.stringify(findings.map(({ code, summary }) => [code, summary]))).toBe(first);
    if (nodes !== undefined) expect(findings[0]?.nodes).toEqual(nodes);
  });
});

/** Numbers of the causes that are to be named: those of nodes, stores, certificates, balancers and protocols, DNS and interception. */
const SCOPE = Array.from({ length: 71 }, (_none, index) => index + 1).filter(
  (cause) => cause <= 50 || (cause >= 53 && cause <= 62) || cause >= 66,
);

test("every cause in scope has an examination that shows it, or a reason why none does", () => {
  const shown = new Set(ROWS.map(({ cause }) => cause));
  expect(SCOPE.filter((cause) => shown.has(cause) === NOT_TOLD_APART.has(cause))).toEqual([]);
  expect([...NOT_TOLD_APART.values()].every((reason) => reason.length > 20)).toBe(true);
});

const HOSTS = ["www.example.com", "shop.example.com"];
const RIGHT = Object.fromEntries(HOSTS.map((host) => [host, served(host)]));

const healthy: [string, Script][] = [
  ["IIS servers", { cells: { web1: RIGHT, web2: RIGHT }, evidence: { web1: iisNode(HOSTS), web2: iisNode(HOSTS) } }],
  ["certfarm nodes", { cells: { web1: RIGHT, web2: RIGHT }, evidence: { web1: certfarmNode(HOSTS), web2: certfarmNode(HOSTS) } }],
  ["servers that are only dialled", { cells: { web1: RIGHT, web2: RIGHT } }],
  ["nginx servers", { cells: { web1: RIGHT, web2: RIGHT }, evidence: { web1: peer("nginx"), web2: peer("nginx") } }],
  ["HAProxy servers", { cells: { web1: RIGHT, web2: RIGHT }, evidence: { web1: peer("haproxy"), web2: peer("haproxy") } }],
  ["nginx beside IIS", { cells: { web1: RIGHT, web2: RIGHT }, evidence: { web1: peer("nginx"), web2: iisNode(HOSTS) } }],
  [
    "IIS servers behind a balancer",
    { cells: { web1: RIGHT, web2: RIGHT, lb: RIGHT }, balancers: ["lb"], evidence: { web1: iisNode(HOSTS), web2: iisNode(HOSTS) } },
  ],
  ...HEALTHY_FILES.map(([name, script]): [string, Script] => [name, script]),
];

/** What a peer's configuration and the certificate files that it names say. */
function peer(make: "nginx" | "haproxy"): NodeEvidence {
  const path = (host: string): string => `/etc/${make}/${host}.pem`;
  return {
    make,
    source: `${make} configuration`,
    bindings: bindings(...HOSTS.map((host) => withoutFlags(host, path(host)))),
    certificates: HOSTS.map((host) => ({ ...withoutWindows(host), store: path(host) })),
    configuration: { source: `${make} configuration` },
    listeners: [listener("0.0.0.0:443")],
  };
}

function withoutFlags(host: string, file: string) {
  const { sslFlags: _flags, ...one } = binding(host, { site: host, central: false, files: [file] });
  return one;
}

function withoutWindows(host: string) {
  const { keySpec: _spec, keyReadable: _readable, ...one } = installed(host);
  return one;
}

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
