import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { instant, toFarmError, type HostPattern } from "../../base/index.ts";
import { parseFarmConfig } from "../../config/parse-farm-config.ts";
import type { CentralFile } from "../../doctor/index.ts";
import type { EvidenceAnswer } from "../../node/index.ts";
import { startLiveFarm, type LiveFarm } from "../testing/live-farm.ts";
import { createOperations } from "../create-operations.ts";
import { nodeCentral } from "./central-sight.ts";
import { farmTargets } from "./farm-targets.ts";
import type { LookProgress } from "./look-settings.ts";

const WWW = "www.example.test";
const look = { timeoutMs: 2_000 };

describe("a farm of which a node died", () => {
  let farm: LiveFarm;
  beforeAll(async () => {
    farm = await startLiveFarm(2, [WWW, "shop.example.test"]);
    await farm.stopNode("web2");
  }, 60_000);
  afterAll(() => farm.close());

  test("is looked at all the same: what does not answer is told, and holds nothing back", async () => {
    const phases = new Set<LookProgress["phase"]>();
    const report = await farm.operations.doctor({ ...look, caPem: farm.caPem, onProgress: ({ phase }) => void phases.add(phase) });
    expect(report.nodes).toEqual([
      { name: "web1", role: "node", make: "certfarm" },
      { name: "web2", role: "node" },
    ]);
    expect(report.matrix.map(({ cells }) => cells.map(({ state }) => state))).toEqual([
      ["ok", "no-connection"],
      ["ok", "no-connection"],
    ]);
    expect(report.gaps).toContainEqual({
      node: "web2",
      what: "system",
      why: expect.stringMatching(/tells nothing of itself: web2 did not answer/),
    });
    expect([...phases].toSorted((a, b) => (a < b ? -1 : 1))).toEqual(["evidence", "files", "probes", "rules"]);
  });

  test("is looked at in part, and ends at once when it is cancelled", async () => {
    const report = await farm.operations.doctor({ ...look, caPem: farm.caPem, hosts: [WWW], nodes: ["web1"] });
    expect(report.matrix).toMatchObject([{ host: WWW, cells: [{ state: "ok" }] }]);
    expect(report.gaps.filter(({ node }) => node === "web1")).toEqual([]);
    const stopped = await farm.operations.doctor({ ...look, signal: AbortSignal.abort() });
    expect(stopped.matrix.flatMap(({ cells }) => cells.map(({ state }) => state))).toEqual(Array(4).fill("not-looked"));
    expect(stopped.gaps.map(({ what }) => what)).toContain("files");
  });

  test("is verified against the farm's own root when nobody names one", async () => {
    const statesWith = async (parts: LiveFarm["parts"]): Promise<readonly unknown[]> =>
      (await createOperations(parts).doctor({ ...look, hosts: [WWW], nodes: ["web1"] })).matrix.flatMap(({ cells }) =>
        cells.map(({ state }) => state),
      );
    expect(await statesWith({ ...farm.parts, caPem: farm.caPem })).toEqual(["ok"]);
    expect(await statesWith(farm.parts)).toEqual(["untrusted"]);
  });

  test.each([
    ["a node that it does not have", { nodes: ["web9"] }, "NODE_UNKNOWN"],
    ["what is no host name", { hosts: ["no host"] }, "HOST_NAME_INVALID"],
    ["a balancer that has no address", { via: "lb.invalid" }, "ENDPOINT_INVALID"],
    ["roots that are none", { caPem: "nothing" }, "PROBE_ROOTS_INVALID"],
  ])("refuses %s", async (_name, more, code) => {
    const failed = await farm.operations.doctor({ ...look, ...more }).catch((error: unknown) => toFarmError(error).code);
    expect(failed).toBe(code);
  });
});

describe("what is dialled", () => {
  const BALANCER = "balancer: { address: 127.0.0.1, ports: { 443: 1443, 8443: 18443 }, health: 127.0.0.1:9003 }";
  const config = (bindings: readonly string[], web2 = "10.0.0.2", balancer = "") => {
    const reading = parseFarmConfig(`farm: test
nodes:
  - { name: web1, addresses: [127.0.0.1, "::1"], ports: { 443: 9443 }, health: 127.0.0.1:9001 }
  - { name: web2, address: ${web2}, health: 10.0.0.2:9002 }
${balancer}
sites:
  - { name: shop, bindings: ${JSON.stringify(bindings)}, content: shop }
`);
    if (reading.kind !== "valid") throw new Error(JSON.stringify(reading.problems));
    return reading.config;
  };
  const targets = (bindings: readonly string[], hosts?: readonly string[], read = config(bindings)) =>
    farmTargets(read, {
      nodes: ["web1", "web2"],
      promised: ["a.example.com", "*.b.example.com"] as HostPattern[],
      ...(hosts === undefined ? {} : { hosts: hosts as never }),
    }).map(({ port, hosts: names, nodes }) => ({
      port,
      names,
      nodes: nodes.map(
        ({ name, endpoints }) => `${name} ${endpoints.map((endpoint) => `${endpoint.address} ${endpoint.port}`).join(", ")}`,
      ),
    }));

  test("is each host on the ports that bind it, on each address of a node and on the balancer", () => {
    const bindings = ["https://www.example.com", "https://api.example.com:8443"];
    expect(targets(bindings, undefined, config(bindings, "10.0.0.2", BALANCER))).toEqual([
      { port: 443, names: ["www.example.com"], nodes: ["web1 127.0.0.1 9443, ::1 9443", "web2 10.0.0.2 443", "balancer 127.0.0.1 1443"] },
      {
        port: 8443,
        names: ["api.example.com"],
        nodes: ["web1 127.0.0.1 8443, ::1 8443", "web2 10.0.0.2 8443", "balancer 127.0.0.1 18443"],
      },
    ]);
  });

  test("is the health address of a node that listens on every address", () => {
    const read = config(["https://www.example.com"], "0.0.0.0");
    expect(targets([], undefined, read)[0]?.nodes).toContain("web2 10.0.0.2 443");
  });

  test("is a label of its own for a wildcard, and the names of files for a binding without a host", () => {
    expect(targets(["https://*.apps.example.com"]).map(({ names }) => names)).toEqual([["certfarm-proof.apps.example.com"]]);
    expect(targets(["https://*:443"]).map(({ names }) => names)).toEqual([["a.example.com", "certfarm-proof.b.example.com"]]);
  });

  test("is a host that was named where it is bound, else everywhere", () => {
    const bound = ["https://www.example.com", "https://api.example.com:8443"];
    expect(targets(bound, ["api.example.com"]).map(({ names }) => names)).toEqual([[], ["api.example.com"]]);
    expect(targets(bound, ["nobody.example.com"]).map(({ names }) => names)).toEqual([["nobody.example.com"], ["nobody.example.com"]]);
  });
});

describe("a node's sight of the central certificates", () => {
  const file = { name: "www.pfx", size: 1, reading: { status: "ok", facts: { leaf: { thumbprint: "NEW" } } } } as unknown as CentralFile; // as far as it is read
  const central = { source: "store", files: [file], gaps: [] };
  const answer = (changes: object, more: object = {}): EvidenceAnswer =>
    ({
      report: {},
      selfTest: { kind: "passed" },
      files: [{ file: "www.pfx", status: "ok", servingEarlierVersion: false, thumbprint: "NEW", ...changes }],
      ...more,
    }) as unknown as EvidenceAnswer; // as far as it is read

  test("is the doctor's own where they agree, so that nothing is kept twice", () => {
    expect(nodeCentral("web1", answer({}), central)).toEqual({
      source: "node web1: central certificates",
      enabled: true,
      access: { kind: "readable" },
    });
  });

  test.each([
    [
      "serves an earlier certificate than the file has",
      { thumbprint: "OLD", readAt: instant(5) },
      { inUse: { thumbprint: "OLD", since: 5 } },
    ],
    [
      "cannot open a file that the doctor can",
      { status: "wrong-password", thumbprint: undefined, problem: "no password opens it" },
      { reading: { status: "wrong-password", problem: "no password opens it" } },
    ],
  ])("is its own where it %s", (_name, changes, expected) => {
    expect(nodeCentral("web1", answer(changes), central).files).toMatchObject([{ name: "www.pfx", ...expected }]);
  });

  test("is told as unreachable when the store is stale there and its trial failed", () => {
    const away = { report: { staleSince: instant(1) }, selfTest: { kind: "failed", step: "write", message: "the disk does not answer" } };
    expect(nodeCentral("web1", answer({}, away), central).access).toEqual({
      kind: "failed",
      cause: "unreachable",
      message: "the disk does not answer",
    });
  });
});
