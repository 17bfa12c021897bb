import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { toFarmError } from "../../base/index.ts";
import { startLiveFarm, type LiveFarm } from "../testing/live-farm.ts";
import type { RepairRequest } from "./run-repair.ts";

const WWW = "www.example.test";
const SHOP = "shop.example.test";

let farm: LiveFarm;

beforeAll(async () => {
  farm = await startLiveFarm(4, [WWW, SHOP]);
}, 60_000);

afterAll(() => farm.close());

beforeEach(async () => {
  for (const node of farm.nodes) await farm.ask(node, "resync", { part: "table" });
  for (const { key, rev } of await farm.store.state.list("repairs")) await farm.store.state.remove(key, rev);
});

const look = { timeoutMs: 2_000 };
const states = async (): Promise<readonly string[]> => {
  const report = await farm.operations.doctor({ ...look, caPem: farm.caPem });
  return report.matrix.map(({ host, cells }) => `${host}: ${cells.map(({ state }) => state).join(" ")}`);
};
type Progress = Parameters<NonNullable<RepairRequest["onProgress"]>>[0];
const run = (more: RepairRequest = {}) => farm.operations.repair.run({ ...look, caPem: farm.caPem, ...more });

const lineOf = (progress: Progress): string => (progress.kind === "step" ? `${progress.node} ${progress.phase} ${progress.state}` : "");
const rowsOf = async (node: string): Promise<readonly string[]> => (await farm.ask(node, "table.show", {})).rows.map(({ key }) => key.kind);
const drained = async (): Promise<readonly string[]> => (await farm.store.state.list("drains")).map(({ key }) => key);

/** web1 right; web2 and web3 without the central row; web4 with a row by address that answers for every name. */
async function breakFarm(): Promise<void> {
  for (const node of ["web2", "web3"]) await farm.deleteRow(node, "central:443");
  await farm.addRow("web4", farm.ipRow("web4"), `${WWW}.pfx`);
}

describe("a farm where one node is right, two lack the central row and one has a row that shadows", () => {
  test("is named by exactly these two causes, on these nodes", async () => {
    await breakFarm();
    const { findings } = await farm.operations.doctor({ ...look, caPem: farm.caPem });
    const errors = findings.filter(({ severity }) => severity === "error").map(({ code, nodes }) => `${code}: ${nodes.join(" ")}`);
    expect(errors.toSorted()).toEqual(["central-row-missing: web2", "central-row-missing: web3", "ip-row-shadows: web4"]);
  });

  test("is mended node by node, proved, and a second repair finds nothing to do", async () => {
    await breakFarm();
    const told: string[] = [];
    const result = await run({
      onProgress: (progress) => void (progress.kind === "step" && told.push(lineOf(progress))),
    });
    expect(result.outcome).toBe("mended");
    expect(await states()).toEqual([`${WWW}: ok ok ok ok`, `${SHOP}: ok ok ok ok`]);
    expect(told.filter((line) => line.startsWith("web4"))).toEqual([
      "web4 drain begun",
      "web4 drain done",
      "web4 act begun",
      "web4 act done",
      "web4 prove begun",
      "web4 prove done",
      "web4 undrain done",
    ]);
    expect(await drained()).toEqual([]);
    const [journalled] = await farm.operations.repair.history(10);
    expect(journalled).toMatchObject({ id: result.run?.id, by: "tester@here", outcome: "mended" });
    expect(journalled?.nodes.flatMap(({ drained, steps }) => [drained, ...steps.map(({ state }) => state)])).toEqual(
      ["web2", "web3", "web4"].flatMap(() => ["undrained", "proved"]),
    );
    expect((await run()).outcome).toBe("nothing-to-do");
    expect(await farm.operations.repair.history(10)).toHaveLength(1);
  });

  test("has only those steps done that were agreed to", async () => {
    await breakFarm();
    const plan = await farm.operations.repair.plan({ ...look, caPem: farm.caPem, findings: ["central-row-missing"] });
    expect(plan.nodes.map(({ node, mends }) => [node, mends])).toEqual([
      ["web2", [WWW, SHOP]],
      ["web3", [WWW, SHOP]],
    ]);
    const result = await run({ steps: [plan.nodes[0]?.steps[0]?.id ?? ""] });
    expect(result.run?.nodes.map(({ node }) => node)).toEqual(["web2"]);
    expect(await states()).toEqual([`${WWW}: ok ok no-handshake ok`, `${SHOP}: ok ok no-handshake wrong-name`]);
  });
});

describe("a repair", () => {
  test("takes a step back that makes a proof worse, stops there, and leaves no node drained", async () => {
    await breakFarm();
    for (const node of ["web2", "web3"]) await farm.ask(node, "resync", { part: "table" });
    await farm.deleteRow("web4", "central:443");
    const result = await run({ findings: ["ip-row-shadows"] });
    expect(result.outcome).toBe("stopped");
    expect(result.run?.why).toMatch(/^web4: delete the row ip:127\.0\.0\.4:443 .*a proof got worse: www\.example\.test: /);
    expect(result.run?.nodes[0]?.steps[0]).toMatchObject({ state: "undone" });
    expect(await rowsOf("web4")).toEqual(["ip"]);
    expect(await drained()).toEqual([]);
  });

  const crashes: [string, number, string][] = [
    ["before a step was done does it and proves it", 4, "proved"],
    ["between a step and its proof proves it", 5, "proved"],
  ];
  test.each(crashes)("that finds one which ended %s, undrains the node, and goes on with the rest", async (_name, writes, state) => {
    await breakFarm();
    let left = writes;
    const dying = farm.withFaults(({ verb, target }) => {
      if (left === 0) return "unavailable";
      if (verb === "write" && target.startsWith("repairs/")) left -= 1;
      return undefined;
    });
    await expect(dying.repair.run({ ...look, caPem: farm.caPem })).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
    expect(await drained()).toEqual(["drains/web2"]);
    const plan = await farm.operations.repair.plan({ ...look, caPem: farm.caPem });
    expect(plan.interrupted).toHaveLength(1);
    await freeLease();
    const { outcome, recovered } = await run();
    expect(recovered).toMatchObject([
      { id: plan.interrupted[0], outcome: "interrupted", nodes: [{ node: "web2", drained: "undrained", steps: [{ state }] }, {}, {}] },
    ]);
    expect(outcome).toBe("mended");
    expect(await states()).toEqual([`${WWW}: ok ok ok ok`, `${SHOP}: ok ok ok ok`]);
    expect(await drained()).toEqual([]);
  });

  test("leaves a node drained that somebody else had drained", async () => {
    await breakFarm();
    await farm.operations.drain("web2", "somebody");
    const result = await run({ findings: ["central-row-missing"] });
    expect(result.run?.nodes.map(({ node, drained: how }) => `${node} ${how}`)).toEqual(["web2 by-others", "web3 undrained"]);
    expect(await drained()).toEqual(["drains/web2"]);
    await farm.operations.undrain("web2");
  });

  test("that is cancelled ends after the node under way", async () => {
    await breakFarm();
    const cancel = new AbortController();
    const result = await run({
      signal: cancel.signal,
      onProgress: (progress) => void (lineOf(progress) === "web2 act done" && cancel.abort()),
    });
    expect(result).toMatchObject({ outcome: "stopped", run: { why: "it was cancelled before web3" } });
    expect(result.run?.nodes.map(({ steps }) => steps[0]?.state)).toEqual(["proved", "waiting", "waiting"]);
    expect(await drained()).toEqual([]);
  });

  test("waits for another one that is under way", async () => {
    await breakFarm();
    let second: Promise<string> | undefined;
    const first = await run({
      findings: ["central-row-missing"],
      onProgress: (progress) => {
        if (lineOf(progress) !== "web2 drain begun") return;
        second = run({ signal: AbortSignal.timeout(300) }).then(
          ({ outcome }) => outcome,
          (error: unknown) => toFarmError(error).code,
        );
      },
    });
    expect(first.outcome).toBe("mended");
    expect(await second).toBe("CANCELLED");
  });

  test("of a finding that is not there says so when it is planned", async () => {
    await expect(farm.operations.repair.plan({ ...look, findings: ["no-such-code"] })).rejects.toMatchObject({
      code: "REPAIR_FINDING_UNKNOWN",
    });
  });
});

/** As time does it: the lease of a process that ended is free once it has not been renewed for long enough. */
async function freeLease(): Promise<void> {
  const entry = await farm.store.state.read("leases/repair");
  if (entry !== undefined) await farm.store.state.remove(entry.key, entry.rev);
}
