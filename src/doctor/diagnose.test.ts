import { describe, expect, test } from "vitest";

import { requireHostName } from "../base/index.ts";
import { diagnose } from "./diagnose.ts";
import type { CellRef, FindingDraft } from "./finding.ts";
import { findingId } from "./finding-id.ts";
import type { Rule, RuleResult, Tier } from "./rule.ts";
import { RULES } from "./rules/index.ts";
import { anyRow, certfarmNode, iisNode, table } from "./testing/evidence.ts";
import { at, examine, RESET, served, wrong, type CellScript, type Script } from "./testing/examination.ts";
import type { View } from "./view.ts";

const HOST = "www.example.com";
const SHOP = "shop.example.com";

const draft = (changes: Partial<FindingDraft> = {}): FindingDraft => ({
  summary: "something is wrong",
  nodes: ["web1"],
  hosts: [],
  proof: [{ text: "seen", source: "test" }],
  remedy: "mend it",
  effect: "it is mended",
  actions: [],
  explains: [],
  certainty: "certain",
  ...changes,
});

const rule = (code: string, check: (view: View) => RuleResult, changes: Partial<Rule> = {}): Rule => ({
  code,
  title: `Rule ${code}`,
  severity: "error",
  tier: "node",
  source: "test",
  explains: "It happens.",
  remedy: "Mend it.",
  check,
  ...changes,
});

const finds = (code: string, drafts: readonly FindingDraft[], changes: Partial<Rule> = {}): Rule =>
  rule(code, () => ({ status: "found", findings: drafts }), changes);
const ref = (node: string, host: string): CellRef => ({ node, host: requireHostName(host) });
const two: Script = { cells: { web1: { [HOST]: RESET, [SHOP]: RESET }, web2: { [HOST]: served(HOST), [SHOP]: served(SHOP) } } };

describe("causes absorb symptoms", () => {
  test("what an earlier tier explains is no symptom for a later one; rules of one tier see the same", () => {
    const seen: [string, number][] = [];
    const looks = (code: string, tier: Tier, explains: readonly CellRef[]): Rule =>
      rule(
        code,
        (view) => {
          seen.push([code, view.symptoms.length]);
          return explains.length === 0 ? { status: "passed" } : { status: "found", findings: [draft({ explains })] };
        },
        { tier },
      );
    // In any order of the list.
    const rules = [
      looks("wire-a", "wire", []),
      looks("host-a", "host", [ref("web1", SHOP)]),
      looks("node-a", "node", [ref("web1", HOST)]),
      looks("node-b", "node", []),
    ];
    diagnose(examine(two), rules);
    expect(seen).toEqual([
      ["node-a", 2],
      ["node-b", 2],
      ["host-a", 1],
      ["wire-a", 0],
    ]);
  });

  test("what no rule explains is a finding of its own: one for cells that fail alike on a node", () => {
    const cells: Script["cells"] = {
      web1: { [HOST]: RESET, [SHOP]: RESET, "a.example.com": { kind: "alert", alert: "internal_error" } },
      web2: { [HOST]: RESET },
    };
    const { findings, rules } = diagnose(examine({ cells: cells ?? {} }), []);
    expect(findings.map(({ code, nodes, hosts, certainty }) => [code, nodes, hosts, certainty])).toEqual([
      ["unexplained", ["web1"], [HOST, SHOP], "likely"],
      ["unexplained", ["web1"], ["a.example.com"], "likely"],
      ["unexplained", ["web2"], [HOST], "likely"],
    ]);
    expect(findings[0]?.decides).toContain("binding table");
    expect(rules).toEqual([]);
  });

  test("what is but a sign of another finding on the same node is not told", () => {
    const sign = (node: string, against: readonly string[] = []): Rule => ({
      ...finds(`sign-${node}`, [draft({ nodes: [node], against })]),
      yieldsTo: ["cause-a"],
    });
    const rules = [finds("cause-a", [draft({ nodes: ["web1"] })]), sign("web1"), sign("web2"), sign("web3", ["web1"])];
    const { findings } = diagnose(examine({ cells: {} }), rules);
    expect(findings.map(({ code }) => code)).toEqual(["cause-a", "sign-web2"]);
  });

  test("cells that each fail in their own words do not make a finding each", () => {
    const ofNode = Object.fromEntries(
      Array.from({ length: 500 }, (_none, index): [string, CellScript] => [
        `h${index}.example.com`,
        { kind: "error", code: "E", message: `failure ${index}` },
      ]),
    );
    const { findings } = diagnose(examine({ cells: { web1: ofNode } }), []);
    expect(findings.length).toBeLessThanOrEqual(20);
    expect(findings.flatMap(({ explains }) => explains)).toHaveLength(500);
  });

  test("a cause that names an endpoint explains that one alone", () => {
    const script: Script = { cells: { web1: { [HOST]: RESET }, "web1@[fd00::1]:443": { [HOST]: RESET } } };
    const [first] = diagnose(examine(script), []).symptoms;
    if (first === undefined) throw new Error("no symptom");
    const { findings } = diagnose(examine(script), [
      finds("some-rule", [draft({ explains: [{ ...ref("web1", HOST), endpoint: first.endpoint }] })]),
    ]);
    expect(findings.filter(({ code }) => code === "unexplained")).toHaveLength(1);
    expect(diagnose(examine(script), [finds("some-rule", [draft({ explains: [ref("web1", HOST)] })])]).findings).toHaveLength(1);
  });

  test("a balancer's symptom is explained by what explains the host on a node, and not by what explains another host", () => {
    const script: Script = { ...two, cells: { ...two.cells, lb: { [HOST]: RESET, [SHOP]: RESET } }, balancers: ["lb"] };
    const { findings } = diagnose(examine(script), [finds("some-rule", [draft({ explains: [ref("web1", HOST)] })])]);
    expect(findings.filter(({ code }) => code === "unexplained").map(({ nodes, hosts }) => [nodes, hosts])).toEqual([
      [["lb"], [SHOP]],
      [["web1"], [SHOP]],
    ]);
  });
});

describe("a rule", () => {
  test("that throws is told as failed and hides no other", () => {
    const broken = rule("broken-rule", () => {
      throw new TypeError("cannot read properties of undefined");
    });
    const { rules, findings } = diagnose(examine(two), [broken, finds("good-rule", [draft()])]);
    expect(rules).toMatchObject([
      { code: "broken-rule", status: "failed", why: expect.stringContaining("cannot read properties") as string },
      { code: "good-rule", status: "found" },
    ]);
    expect(findings.map(({ code }) => code)).toContain("good-rule");
  });

  test.each<[RuleResult, unknown]>([
    [{ status: "passed" }, { code: "some-rule", status: "passed" }],
    [
      { status: "not-applicable", why: "no balancer" },
      { code: "some-rule", status: "not-applicable", why: "no balancer" },
    ],
    [
      { status: "could-not-look", why: "no table" },
      { code: "some-rule", status: "could-not-look", why: "no table" },
    ],
  ])("tells what it came to: %j", (result, outcome) => {
    expect(diagnose(examine(two), [rule("some-rule", () => result)]).rules).toEqual([outcome]);
  });
});

describe("the order of findings", () => {
  const order = (...drafts: readonly FindingDraft[]): readonly string[] => {
    const rules = drafts.map((one, index) => finds(`rule-${index}`, [one]));
    const healthy: Script = { cells: { web1: { [HOST]: served(HOST) }, web2: { [HOST]: served(HOST) } } };
    return diagnose(examine(healthy), rules).findings.map(({ summary }) => summary);
  };

  test("errors before warnings before notices", () => {
    expect(
      order(draft({ summary: "n", severity: "notice" }), draft({ summary: "w", severity: "warning" }), draft({ summary: "e" })),
    ).toEqual(["e", "w", "n"]);
  });

  test("what differs between nodes before what all share, however much that explains", () => {
    const all = draft({ summary: "all", nodes: ["web1", "web2"], explains: [ref("web1", HOST), ref("web2", HOST)] });
    expect(order(all, draft({ summary: "one" }), draft({ summary: "farm", nodes: [] }))).toEqual(["one", "all", "farm"]);
  });

  test("then what explains more, then what is certain, then the code", () => {
    const more = draft({ summary: "more", explains: [ref("web1", HOST)] });
    const likely = draft({ summary: "likely", certainty: "likely" });
    expect(order(likely, draft({ summary: "b" }), draft({ summary: "c" }), more)).toEqual(["more", "b", "c", "likely"]);
  });

  test("a host that is meant for some nodes only does not differ where the others are not meant to serve it", () => {
    const examination = examine({ cells: { web1: { [HOST]: RESET }, web2: { [SHOP]: served(SHOP) } } });
    const hosts = examination.hosts.map((host) => ({ ...host, nodes: host.name === HOST ? ["web1"] : ["web2"] }));
    const one = finds("some-rule", [draft({ hosts: [requireHostName(HOST)] })]);
    expect(diagnose({ ...examination, hosts }, [one]).findings[0]?.differs).toBe(false);
    expect(diagnose(examination, [one]).findings[0]?.differs).toBe(true);
  });
});

describe("ids", () => {
  test("are the same in every run, whatever the order of nodes, hosts and words", () => {
    const hosts = [requireHostName(HOST), requireHostName(SHOP)];
    const id = findingId("some-rule", { nodes: ["a", "b"], hosts, summary: "since 12:00" });
    expect(id).toMatch(/^F-[0-9a-f]{8}$/);
    expect(findingId("some-rule", { nodes: ["b", "a"], hosts: hosts.toReversed(), summary: "since 13:00" })).toBe(id);
  });

  test("tell rules, nodes and hosts apart; findings about the farm by their words", () => {
    const hosts = [requireHostName(HOST)];
    const base = { nodes: ["a"], hosts, summary: "x" };
    const farm = { nodes: [], hosts: [], summary: "x" };
    const ids = [
      findingId("some-rule", base),
      findingId("other-rule", base),
      findingId("some-rule", { ...base, nodes: ["b"] }),
      findingId("some-rule", { ...base, hosts: [] }),
      findingId("some-rule", farm),
      findingId("some-rule", { ...farm, summary: "y" }),
    ];
    expect(new Set(ids).size).toBe(ids.length);
  });

  test("of two findings of one rule on the same nodes and hosts are told apart", () => {
    const rules = [finds("some-rule", [draft({ summary: "row a" }), draft({ summary: "row b" })])];
    const ids = diagnose(examine(two), rules).findings.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
  });
});

test("texts of peers are cut", () => {
  const long = "x".repeat(100_000);
  const cells: Script["cells"] = {
    web1: { [HOST]: wrong(long), [SHOP]: { kind: "error", code: "E", message: long }, "a.example.com": { kind: "alert", alert: long } },
  };
  const { symptoms, findings } = diagnose(examine({ cells: cells ?? {} }), []);
  for (const { text } of [...symptoms, ...findings.flatMap(({ proof }) => proof)]) expect(text.length).toBeLessThan(400);
});

describe("10,000 hosts on 4 nodes", () => {
  const hosts = Array.from({ length: 10_000 }, (_none, index) => `h${index}.example.com`);
  const cells = (outcome: (host: string) => CellScript) => Object.fromEntries(hosts.map((host) => [host, outcome(host)]));
  const dead = cells(() => RESET);
  const right = cells((host) => served(host));

  test.each<[string, () => Script]>([
    [
      "a node without the central row, one with a default certificate",
      () => ({
        cells: { web1: right, web2: dead, web3: right, web4: cells(() => wrong("old.example.com")) },
        evidence: {
          ...all(iisNode(hosts)),
          web2: iisNode(hosts, { table: table() }),
          web4: iisNode(hosts, { table: table(anyRow(4, "old.example.com")) }),
        },
      }),
    ],
    ["everything dead, each host in its own words", () => ({ cells: all(cells((host) => ({ kind: "error", code: "E", message: host }))) })],
    [
      "certfarm nodes whose certificates are all another one",
      () => ({
        cells: {
          web1: right,
          web2: right,
          web3: right,
          web4: cells((host) => served(`old ${host}`, { dnsNames: [host], notBefore: at(-80) })),
        },
        evidence: all(certfarmNode(hosts)),
      }),
    ],
  ])("are diagnosed in bounded time and memory: %s", (_name, script) => {
    const examination = examine(script());
    const heap = process.memoryUsage().heapUsed;
    const before = process.cpuUsage();
    const { rules, findings } = diagnose(examination, RULES);
    const { user, system } = process.cpuUsage(before);
    expect(rules.filter(({ status }) => status === "failed")).toEqual([]);
    expect(findings.length).toBeLessThan(200);
    // About one second on an idle core; quadratic work would take minutes.
    expect((user + system) / 1000).toBeLessThan(8_000);
    expect(process.memoryUsage().heapUsed - heap).toBeLessThan(300e6);
  });

  function all<T>(one: T): Record<string, T> {
    return { web1: one, web2: one, web3: one, web4: one };
  }
});
