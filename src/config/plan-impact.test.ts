import { describe, expect, it } from "vitest";

import { requireHostName, type HostName, type HostPattern } from "../base/index.ts";
import { parseFarmConfig } from "./parse-farm-config.ts";
import { planImpact, verdict, type ImpactInput, type ImpactPlan, type Served } from "./plan-impact.ts";
import type { FarmConfig } from "./types.ts";

/** A farm in short: nodes and https hosts. */
function farm(nodes: readonly string[], hosts: readonly string[]): FarmConfig {
  const sites =
    hosts.length === 0 ? "[]" : `[{ name: www, content: www, bindings: [${hosts.map((host) => `"https://${host}"`).join(", ")}] }]`;
  const reading = parseFarmConfig(`farm: a\nnodes: [${nodes.map((name) => `{ name: ${name} }`).join(", ")}]\nsites: ${sites}\n`);
  if (reading.kind === "invalid") throw new Error(JSON.stringify(reading.problems));
  return reading.config;
}

const serve = (...thumbprints: string[]): Served => ({ kind: "serve", thumbprints, files: thumbprints.map((each) => `${each}.pfx`) });
const refuse = (reason: string): Served => ({ kind: "refuse", reason });

/** Answers by `side node host`, else by `side host`, else a certificate `A`. */
const answers =
  (table: Readonly<Record<string, Served>>): ImpactInput["serves"] =>
  (side, node, host) =>
    table[`${side} ${node} ${host}`] ?? table[`${side} ${host}`] ?? serve("A");

const lines = (plan: ImpactPlan): string[] =>
  plan.rows.map(({ host, port, nodes, change }) => `${host}:${port} ${nodes.join("+")} ${change}`);
const pattern = (text: string): HostPattern => text as HostPattern; // known good in tests
const www = "www.example.com";

describe("planImpact", () => {
  it.each<[string, { before?: FarmConfig; after: FarmConfig; table?: Record<string, Served> }, string[]]>([
    ["nothing, told once for all nodes", { before: farm(["a", "b"], [www]), after: farm(["a", "b"], [www]) }, [`${www}:443 a+b same`]],
    [
      "the same certificates in another order",
      {
        before: farm(["a"], [www]),
        after: farm(["a"], [www]),
        table: { [`before ${www}`]: serve("A", "B"), [`after ${www}`]: serve("B", "A") },
      },
      [`${www}:443 a same`],
    ],
    [
      "another certificate",
      { before: farm(["a"], [www]), after: farm(["a"], [www]), table: { [`after ${www}`]: serve("B") } },
      [`${www}:443 a changed`],
    ],
    [
      "one certificate of two less",
      { before: farm(["a"], [www]), after: farm(["a"], [www]), table: { [`before ${www}`]: serve("A", "B") } },
      [`${www}:443 a changed`],
    ],
    [
      "a host that is refused afterwards on one node",
      { before: farm(["a", "b"], [www]), after: farm(["a", "b"], [www]), table: { [`after b ${www}`]: refuse("no-certificate") } },
      [`${www}:443 b broken`, `${www}:443 a same`],
    ],
    [
      "a host that was served and is dropped",
      { before: farm(["a"], [www, "b.example"]), after: farm(["a"], ["b.example"]) },
      [`${www}:443 a broken`, "b.example:443 a same"],
    ],
    [
      "a host that was not served and is dropped",
      {
        before: farm(["a"], [www, "b.example"]),
        after: farm(["a"], ["b.example"]),
        table: { [`before ${www}`]: refuse("no-certificate") },
      },
      [`${www}:443 a removed`, "b.example:443 a same"],
    ],
    [
      "a host that a wildcard binding takes over",
      { before: farm(["a"], [www]), after: farm(["a"], ["*.example.com"]), table: { [`after ${www}`]: serve("W") } },
      [`${www}:443 a changed`, "*.example.com:443 a gained"],
    ],
    ["a host that the binding for any name takes over", { before: farm(["a"], [www]), after: farm(["a"], ["*"]) }, [`${www}:443 a same`]],
    ["a new host", { before: farm(["a"], []), after: farm(["a"], [www]) }, [`${www}:443 a gained`]],
    [
      "a new host without a certificate",
      { before: farm(["a"], []), after: farm(["a"], [www]), table: { [`after ${www}`]: refuse("no-certificate") } },
      [`${www}:443 a unserved`],
    ],
    [
      "a host that was refused and still is",
      {
        before: farm(["a"], [www]),
        after: farm(["a"], [www]),
        table: { [`before ${www}`]: refuse("no-row"), [`after ${www}`]: refuse("no-certificate") },
      },
      [`${www}:443 a unserved`],
    ],
    [
      "a host on another port",
      { before: farm(["a"], [www]), after: farm(["a"], [`${www}:8443`]) },
      [`${www}:443 a broken`, `${www}:8443 a gained`],
    ],
    [
      "a node that leaves while another serves",
      { before: farm(["a", "b"], [www]), after: farm(["a"], [www]) },
      [`${www}:443 b removed`, `${www}:443 a same`],
    ],
    [
      "a node that leaves for one that serves nothing",
      { before: farm(["a"], [www]), after: farm(["b"], [www]), table: { [`after b ${www}`]: refuse("no-certificate") } },
      [`${www}:443 a broken`, `${www}:443 b unserved`],
    ],
    ["a new node", { before: farm(["a"], [www]), after: farm(["a", "b"], [www]) }, [`${www}:443 b gained`, `${www}:443 a same`]],
    ["the first configuration", { after: farm(["a"], [www]) }, [`${www}:443 a gained`]],
  ])("tells %s", (_, { before, after, table }, expected) => {
    expect(lines(planImpact({ before, after, serves: answers(table ?? {}) }))).toEqual(expected);
  });

  it("covers names that are asked for below a binding for any name", () => {
    const plan = planImpact({
      before: farm(["a"], ["*"]),
      after: farm(["a"], ["*"]),
      askedFor: [{ host: pattern("shop.example.com"), port: 443 }],
      serves: answers({ "after shop.example.com": refuse("no-certificate") }),
    });
    expect(lines(plan)).toEqual(["shop.example.com:443 a broken"]);
  });

  it("asks a node only for hosts that a site takes, at most once a side", () => {
    const asked: string[] = [];
    planImpact({
      before: farm(["a"], [www]),
      after: farm(["b"], ["b.example"]),
      serves: (side, node, host) => {
        asked.push(`${side} ${node} ${host}`);
        return serve("A");
      },
    });
    expect(asked.sort()).toEqual(["after b b.example", `before a ${www}`]);
  });

  it("leaves out the harmless rows first, and counts and judges all of them", () => {
    const hosts = Array.from({ length: 50 }, (_, at) => `h${at}.example`);
    const table = Object.fromEntries(hosts.slice(0, 20).map((host) => [`after b ${host}`, refuse("no-certificate")]));
    const plan = planImpact({ before: farm(["a", "b"], hosts), after: farm(["a", "b"], hosts), serves: answers(table), maxRows: 10 });
    expect(plan.rows).toHaveLength(10);
    expect(new Set(plan.rows.map(({ change }) => change))).toEqual(new Set(["broken"]));
    expect(plan.totalRows).toBe(70);
    expect(plan.counts).toEqual({ same: 80, changed: 0, gained: 0, broken: 20, removed: 0, unserved: 0 });
    expect(plan.broken).toEqual(hosts.slice(0, 20).sort());
  });
});

describe("verdict", () => {
  const plan = planImpact({
    before: farm(["a"], ["a.example", "b.example", "x.shop.example", "*.shop.example"]),
    after: farm(["a"], []),
    serves: answers({}),
  });

  it.each<[string, string[], string[]]>([
    ["every broken host when none is allowed", [], ["*.shop.example", "a.example", "b.example", "x.shop.example"]],
    ["the rest when some are allowed", ["a.example", "x.shop.example"], ["*.shop.example", "b.example"]],
    ["nothing below an allowed pattern", ["*.shop.example"], ["a.example", "b.example"]],
    ["what an allowed name does not cover", ["shop.example", "example"], ["*.shop.example", "a.example", "b.example", "x.shop.example"]],
  ])("is %s", (_, allowed, expected) => {
    const names: (HostName | HostPattern)[] = allowed.map((each) => (each.startsWith("*.") ? pattern(each) : requireHostName(each)));
    expect(verdict(plan, names)).toEqual(expected);
  });
});
