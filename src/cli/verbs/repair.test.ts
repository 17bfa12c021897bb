import { mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, afterEach, beforeAll, describe, expect, it, test } from "vitest";

import type { RouteOutput, Transport } from "../../admin/client.ts";
import type { CliHost } from "../host.ts";
import { runCli } from "../run-cli.ts";
import { startCannedFarm, type CannedFarm } from "../testing/canned-farm.ts";
import { AT } from "../testing/sample-report.ts";
import { testHost } from "../testing/test-host.ts";

type Plan = RouteOutput<"repair.plan">;
type Run = RouteOutput<"repair.history">["runs"][number];

const action = { do: "add-central-row", node: "web2", port: 443 } as const;

const PLAN: Plan = {
  at: AT,
  findings: [{ id: "F-00000001", code: "central-row-missing", summary: "web2 has no central row on port 443" }],
  nodes: [
    {
      node: "web2",
      steps: [
        {
          id: "S-1",
          findings: ["F-00000001"],
          action,
          text: "Add the central row for port 443 on web2",
          changes: "web2 chooses certificates of the central store for port 443",
        },
      ],
      mends: ["www.example.com", "shop.example.com"],
    },
  ],
  refused: [],
  manual: [],
  interrupted: [],
};
const NOTHING: Plan = { ...PLAN, findings: [], nodes: [] };

const RUN: Run = {
  id: "R-1",
  by: "tester@here",
  startedAt: AT,
  endedAt: AT + 4_000,
  outcome: "mended",
  nodes: [
    {
      node: "web2",
      drained: "undrained",
      steps: [{ id: "S-1", action, text: "Add the central row for port 443 on web2", state: "proved", mended: 2 }],
    },
  ],
};

const PROGRESS = [
  { kind: "look", phase: "probes", done: 1, total: 8 },
  { kind: "step", node: "web2", phase: "drain", state: "begun", text: "take web2 out of rotation", done: 0, total: 1 },
  { kind: "step", node: "web2", phase: "drain", state: "done", text: "take web2 out of rotation", done: 0, total: 1 },
  { kind: "step", node: "web2", phase: "prove", state: "failed", text: "handshakes with www.example.com", done: 0, total: 1 },
];

let farm: CannedFarm | undefined;
afterEach(async () => {
  await farm?.close();
  farm = undefined;
});

/** Runs a call against a farm that plans and repairs as told. */
async function run(
  args: readonly string[],
  plan: Plan,
  changes: Partial<CliHost> = {},
  outcome: RouteOutput<"repair.run">["outcome"] = "mended",
) {
  farm = await startCannedFarm({
    "repair.plan": () => ({ result: plan }),
    "repair.run": () => ({
      progress: PROGRESS,
      result: {
        outcome,
        run: { ...RUN, outcome: "mended", ...(outcome === "stopped" ? { why: "a proof got worse" } : {}) },
        recovered: [],
        plan,
      },
    }),
    "repair.history": () => ({ result: { runs: [RUN] } }),
  });
  const host = testHost(changes);
  const code = await runCli([...args, ...farm.options], host);
  return { code, ...host.written, asked: farm.asked };
}

const yes: Partial<CliHost> = { agree: () => Promise.resolve(true) };

describe("the plan", () => {
  it("is shown, and with --dry-run nothing else is done; 1 says that there is something to mend", async () => {
    const { code, out, asked } = await run(["repair", "--dry-run"], PLAN);
    expect(code).toBe(1);
    expect(out).toBe(
      [
        "1 step, one node after the other: drain, act, prove by handshakes, undrain. What makes a proof worse is undone.",
        "",
        "web2",
        "  1. Add the central row for port 443 on web2 (F-00000001)",
        "     then web2 chooses certificates of the central store for port 443",
        "     mends 2 hosts: www.example.com, shop.example.com",
        "",
      ].join("\n"),
    );
    expect(asked.map(({ name }) => name)).toEqual(["repair.plan"]);
  });

  it("names what is refused, what only a person can do, and what was interrupted", async () => {
    const plan: Plan = {
      ...NOTHING,
      refused: [{ node: "web4", findings: ["F-2"], why: "it is the last that serves shop.example.com" }],
      manual: [{ finding: "F-3", node: "web1", text: "Renew old.example.com.pfx" }],
    };
    const { code, out } = await run(["repair"], plan);
    expect(code).toBe(1);
    expect(out).toContain("✗ web4 is left alone: it is the last that serves shop.example.com (F-2)");
    expect(out).toContain("! Only a person can do this:\n  · web1: Renew old.example.com.pfx (F-3)");
  });

  it("0 says that there is nothing to mend", async () => {
    const { code, out, asked } = await run(["repair"], NOTHING);
    expect([code, out, asked.length]).toEqual([0, "✓ there is nothing to mend by itself\n", 1]);
  });
});

describe("consent", () => {
  it("is asked for with what would be done; the steps that were shown are the ones that are done", async () => {
    const questions: string[] = [];
    const agree = (question: string) => Promise.resolve(void questions.push(question)).then(() => true);
    const { code, out, asked } = await run(["repair", "F-00000001", "--timeout", "2"], PLAN, { agree });
    expect([code, questions]).toEqual([0, ["Do 1 step on 1 node?"]]);
    expect(asked.map(({ input }) => input)).toEqual([
      { findings: ["F-00000001"], timeoutMs: 2_000 },
      { findings: ["F-00000001"], timeoutMs: 2_000, steps: ["S-1"], by: "tester@here" },
    ]);
    expect(out).toContain("✓ web2  drain   take web2 out of rotation\n✗ web2  prove   handshakes with www.example.com\n");
    expect(out).toContain(
      "web2\n  ✓ Add the central row for port 443 on web2: done and proved: 2 hosts are served now that were not before\n",
    );
    expect(out).toMatch(/✓ mended, and proved by handshakes\n$/);
  });

  it.each<[string, Partial<CliHost>, RegExp]>([
    ["is not given by no", { agree: () => Promise.resolve(false) }, /nothing was changed \(REPAIR_NOT_AGREED\)/],
    ["cannot be given without a terminal", {}, /there is no terminal to ask on \(REPAIR_NOT_AGREED\)\n {2}→ .*--yes/],
  ])("%s", async (_name, changes, message) => {
    const { code, err, asked } = await run(["repair"], PLAN, changes);
    expect([code, asked.length]).toEqual([4, 1]);
    expect(err).toMatch(message);
  });

  it("is not asked for with --yes", async () => {
    const { code, asked } = await run(["repair", "--yes"], PLAN);
    expect([code, asked.map(({ name }) => name)]).toEqual([0, ["repair.plan", "repair.run"]]);
  });

  it("is asked for to finish what was interrupted", async () => {
    const questions: string[] = [];
    const agree = (question: string) => Promise.resolve(void questions.push(question)).then(() => true);
    await run(["repair"], { ...NOTHING, interrupted: ["R-0"] }, { agree });
    expect(questions).toEqual(["Finish what was interrupted?"]);
  });
});

describe("the end", () => {
  it.each<[RouteOutput<"repair.run">["outcome"], number, RegExp]>([
    ["mended", 0, /✓ mended/],
    ["not-mended", 1, /! done, but not everything is served yet\n→ certfarm doctor\n$/],
    ["stopped", 1, /✗ stopped: a proof got worse\n→ certfarm doctor\n$/],
  ])("%s exits with %i", async (outcome, code, text) => {
    const ended = await run(["repair"], PLAN, yes, outcome);
    expect(ended.code).toBe(code);
    expect(ended.out).toMatch(text);
  });

  it("is in JSON with --yes, and the plan with --dry-run; neither is a wrong call", async () => {
    expect(JSON.parse((await run(["repair", "--yes", "--json"], PLAN)).out)).toMatchObject({ outcome: "mended", run: { id: "R-1" } });
    await farm?.close();
    expect(JSON.parse((await run(["repair", "--dry-run", "--json"], PLAN)).out)).toEqual(PLAN);
    await farm?.close();
    const mute = await run(["repair", "--json"], PLAN, yes);
    expect([mute.code, mute.asked]).toEqual([2, []]);
  });
});

test("the history shows each repair and how many of its steps are proved", async () => {
  const { code, out } = await run(["repair", "history"], PLAN);
  expect(code).toBe(0);
  expect(out).toMatch(
    /^WHEN +REPAIR +TOOK +OUTCOME +PROVED STEPS +BY +WHY\n2026-06-15T12:00:00Z +R-1 +4 s +mended +web2 1\/1 +tester@here\n$/,
  );
});

describe("scripts for IIS", () => {
  let folder = "";
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "certfarm-scripts-"));
  });
  afterAll(() => rm(folder, { recursive: true }));

  const scripts = [
    { node: "web1", fileName: "web1.ps1", text: "# one\r\n" },
    { node: "web2", fileName: "../../web2.ps1", text: "# two\r\n" },
  ];
  async function script(name: string, result: unknown, ...args: readonly string[]) {
    const asked: unknown[] = [];
    const transport: Transport = (_name, input) => Promise.resolve(void asked.push(input)).then(() => result);
    const host = testHost({ local: () => Promise.resolve(transport) });
    const code = await runCli(["repair", ...args, "--evidence", "web1.json", "--script", join(folder, name)], host);
    return { code, ...host.written, asked };
  }
  const manual = [{ finding: "F-3", text: "Renew the certificate" }];

  it("are written into the folder, one a server, and nowhere else", async () => {
    const { code, out, asked } = await script("a", { scripts, manual }, "central-row-missing");
    expect([code, asked]).toEqual([1, [{ evidence: ["web1.json"], findings: ["central-row-missing"] }]]);
    expect(await readdir(join(folder, "a"))).toEqual(["web1.ps1", "web2.ps1"]);
    expect(await readFile(join(folder, "a/web2.ps1"), "utf8")).toBe("# two\r\n");
    expect(out).toContain("-WhatIf");
    expect(out).toContain("! Renew the certificate (F-3)");
  });

  it("are left alone when they are the same already", async () => {
    expect((await script("a", { scripts, manual: [] })).out).toContain("a/web1.ps1 (was there, unchanged)");
  });

  it("never take the place of another text, and then none is written", async () => {
    await writeFile(join(folder, "a/web2.ps1"), "mine");
    await rm(join(folder, "a/web1.ps1"));
    const { code, err } = await script("a", { scripts, manual: [] });
    expect([code, err]).toEqual([
      3,
      expect.stringMatching(/web2\.ps1 is there already and differs; nothing was written \(OUTPUT_FILE_EXISTS\)/),
    ]);
    expect(await readdir(join(folder, "a"))).toEqual(["web2.ps1"]);
  });

  it("are none when nothing is wrong: 0, and no folder", async () => {
    const { code, out } = await script("b", { scripts: [], manual: [] });
    expect([code, out]).toEqual([0, "There is nothing that a script could mend.\n"]);
    expect(await readdir(folder)).toEqual(["a"]);
  });

  it("cannot be written where a file is in the way", async () => {
    await writeFile(join(folder, "file"), "");
    expect((await script("file", { scripts, manual: [] })).err).toContain("(OUTPUT_FILE_UNWRITABLE)");
  });

  it("are what evidence asks for: a repair of this farm takes none", async () => {
    const host = testHost(yes);
    expect(await runCli(["repair", "--evidence", "web1.json"], host)).toBe(2);
    expect(host.written.err).toContain("add --script DIR");
  });
});
