import { describe, expect, test } from "vitest";

import type { HostName } from "../base/index.ts";
import { diagnose } from "./diagnose.ts";
import type { NodeEvidence } from "./evidence.ts";
import type { RepairAction } from "./finding.ts";
import { planRepair, type RepairPlan } from "./plan-repair.ts";
import type { Rule } from "./rule.ts";
import { examine, RESET, served, type Script } from "./testing/examination.ts";
import { centralRow, hostRow, ipRow } from "./testing/evidence.ts";

const WWW = "www.example.com";
const SHOP = "shop.example.com";
const certfarm: Partial<NodeEvidence> = { make: "certfarm" };
const right = { [WWW]: served(WWW), [SHOP]: served(SHOP) };
const reset = { [WWW]: RESET, [SHOP]: RESET };
const shadowed = { [WWW]: served(WWW), [SHOP]: served(WWW, { verified: "ERR_TLS_CERT_ALTNAME_INVALID" }) };

type Wanted = RepairAction & { readonly hosts?: readonly string[] };

/** A rule that finds what a test says: for each node, what is to be done and which hosts it explains. */
const found = (actions: readonly Wanted[]): Rule => ({
  code: "of-the-test",
  title: "A cause",
  severity: "error",
  tier: "node",
  source: "test",
  explains: "",
  remedy: "",
  check: () => ({
    status: "found",
    findings: actions.map(({ hosts = [], ...action }) => ({
      summary: `${action.node ?? "the farm"} needs ${action.do}`,
      nodes: action.node === undefined ? [] : [action.node],
      hosts: hosts as HostName[],
      proof: [{ text: "seen", source: "test" }],
      remedy: "",
      effect: "changed",
      actions: [action],
      explains: hosts.map((host) => ({ node: action.node ?? "", host: host as HostName })),
      certainty: "certain",
    })),
  }),
});

function plan(script: Script, actions: readonly Wanted[], drained: readonly string[] = []): RepairPlan {
  const examination = examine(script);
  const diagnosis = diagnose(examination, [found(actions)]);
  const findings = diagnosis.findings.filter(({ code }) => code === "of-the-test");
  return planRepair({ examination, diagnosis, findings, drained: new Set(drained) });
}

const addRow = (node: string, ...hosts: string[]) => ({ do: "add-central-row", node, port: 443, hosts }) as const;
const dropRow = (node: string, ...hosts: string[]) => {
  const row = ipRow("10.0.0.4:443", "old.example.com");
  return { do: "delete-row", node, key: row.key, row, hosts } as const;
};
const all = (...nodes: string[]) => Object.fromEntries(nodes.map((node) => [node, certfarm]));

describe("the order", () => {
  test("is node by node, those that serve least first, with what brings something before what takes something away", () => {
    const made = plan({ cells: { web1: right, web2: shadowed, web3: reset }, evidence: all("web1", "web2", "web3") }, [
      dropRow("web2", SHOP),
      addRow("web2", SHOP),
      addRow("web3", WWW, SHOP),
    ]);
    expect(made.nodes.map(({ node, steps, mends }) => [node, steps.map(({ text }) => text), mends])).toEqual([
      ["web3", ["add the central row for port 443"], [WWW, SHOP]],
      ["web2", ["add the central row for port 443", expect.stringMatching(/^delete the row ip:10\.0\.0\.4:443 \(/)], [SHOP]],
    ]);
    expect(made.findings).toHaveLength(3);
    expect(made.refused).toEqual([]);
  });

  test("has one step for what several findings ask for, with the same id in the next plan", () => {
    const script = { cells: { web1: right, web2: reset }, evidence: all("web1", "web2") };
    const actions: readonly Wanted[] = [addRow("web2", WWW), addRow("web2", SHOP)];
    const [node] = plan(script, actions).nodes;
    expect(node?.steps).toHaveLength(1);
    expect(node?.steps[0]?.findings).toHaveLength(2);
    expect(plan(script, actions).nodes[0]?.steps[0]?.id).toBe(node?.steps[0]?.id);
  });
});

describe("the last node that serves a host", () => {
  const cases: [string, Script, readonly Wanted[], readonly string[], readonly string[]][] = [
    ["is left alone", { cells: { web1: shadowed, web2: reset } }, [dropRow("web1", SHOP)], [], ["web1"]],
    [
      "may be mended once another one was mended before it",
      { cells: { web1: shadowed, web2: reset } },
      [dropRow("web1", SHOP), addRow("web2", WWW, SHOP)],
      [],
      [],
    ],
    [
      "is left alone when the other one is drained",
      { cells: { web1: shadowed, web2: right } },
      [dropRow("web1", SHOP)],
      ["web2"],
      ["web1"],
    ],
    [
      "is mended when it is drained itself: nobody loses anything",
      { cells: { web1: shadowed, web2: reset } },
      [dropRow("web1", SHOP)],
      ["web1"],
      [],
    ],
    ["does not matter when it serves nothing", { cells: { web1: reset } }, [addRow("web1", WWW)], [], []],
    [
      "counts hosts whose root is not known here as served",
      { cells: { web1: { [WWW]: served(WWW, { verified: "SELF_SIGNED_CERT_IN_CHAIN" }) }, web2: { [WWW]: RESET } } },
      [dropRow("web1")],
      [],
      ["web1"],
    ],
  ];
  test.each(cases)("%s", (_name, script, actions, drained, refused) => {
    const made = plan({ ...script, evidence: all("web1", "web2") }, actions, drained);
    expect(made.refused.map(({ node }) => node)).toEqual(refused);
    expect(made.nodes.map(({ node }) => node)).not.toContain(refused[0]);
  });

  test("is named with the hosts that would be lost", () => {
    const made = plan({ cells: { web1: right }, evidence: all("web1") }, [dropRow("web1")]);
    expect(made.refused[0]?.why).toBe(
      "web1 is the last node that serves www.example.com and shop.example.com: draining it would take them away",
    );
    expect(made.findings).toEqual([]);
  });
});

describe("what no machine does", () => {
  test("a central row is never deleted", () => {
    const row = centralRow();
    const made = plan({ cells: { web1: right, web2: right }, evidence: all("web1", "web2") }, [
      { do: "delete-row", node: "web1", key: row.key, row },
    ]);
    expect(made.nodes).toEqual([]);
    expect(made.refused[0]?.why).toMatch(/central:443 is a central row: those are never deleted/);
  });

  test("what only a person can do is listed with its node", () => {
    const made = plan({ cells: { web1: right } }, [{ do: "manual", node: "web1", text: "renew the certificate" }]);
    expect(made.manual).toMatchObject([{ node: "web1", text: "renew the certificate" }]);
    expect(made.nodes).toEqual([]);
  });

  test.each([
    ["iis", /web2 runs IIS: .*--script/],
    [undefined, /web2 is no certfarm node that answered/],
  ] as const)("a node of make %s is told what to do instead", (make, text) => {
    const evidence = { web1: certfarm, ...(make === undefined ? {} : { web2: { make } }) };
    const made = plan({ cells: { web1: right, web2: reset }, evidence }, [addRow("web2", WWW)]);
    expect(made.nodes).toEqual([]);
    expect(made.manual[0]?.text).toMatch(text);
  });
});

test("a row by name is named as it is, and a part is told in words", () => {
  const row = hostRow(WWW, "old.example.com");
  const made = plan({ cells: { web1: right, web2: right }, evidence: all("web1", "web2") }, [
    { do: "delete-row", node: "web2", key: row.key, row },
    { do: "resync", node: "web2", part: "certificates", host: WWW as HostName },
  ]);
  expect(made.nodes[0]?.steps.map(({ text }) => text)).toEqual([
    "read the certificates again of www.example.com",
    expect.stringMatching(/^delete the row host:www\.example\.com:443 \([0-9A-F]{40}\)$/),
  ]);
});
