import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { handshake } from "./farm/clients/tls.ts";
import { startTestFarm, type TestFarm } from "./farm/start-test-farm.ts";
import { until } from "./farm/until.ts";

const HOSTS = ["www.shop.localhost", "api.shop.localhost", "one.apps.localhost", "legacy.shop.localhost"] as const;

let farm: TestFarm;

beforeAll(async () => {
  const observe = Object.fromEntries(["web1", "web2", "web3", "web4"].map((name) => [name, { reconcile: "observe" }]));
  farm = await startTestFarm({ nodes: 4, admin: true, nodeKeys: observe });
});
afterAll(async () => farm?.stop());

interface Report {
  readonly nodes: readonly { readonly name: string }[];
  readonly matrix: readonly { readonly host: string; readonly cells: readonly { readonly state: string }[] }[];
  readonly findings: readonly {
    readonly id: string;
    readonly code: string;
    readonly severity: string;
    readonly nodes: readonly string[];
  }[];
}

const certfarm = async (args: readonly string[], code = 0): Promise<string> => {
  const result = await farm.cli([
    ...args,
    ...(["doctor", "repair"].includes(args[0] ?? "") && args[1] !== "history" ? ["--ca", farm.caFile] : []),
  ]);
  if (result.code !== code) throw new Error(`certfarm ${args.join(" ")} ended with ${result.code}: ${result.stdout}\n${result.stderr}`);
  return result.stdout;
};
const doctor = async (code: number): Promise<Report> => JSON.parse(await certfarm(["doctor", "--json"], code)) as Report; // the route's own shape
const errors = ({ findings }: Report): readonly string[] =>
  findings.filter(({ severity }) => severity === "error").map(({ code, nodes }) => `${code}: ${nodes.join(" ")}`);

/** What every node serves for every host, seen by a client of another make than the doctor. */
async function served(): Promise<readonly string[]> {
  const ca = farm.authority.certificatePem;
  const lines = farm.nodes.flatMap(({ name, https }) =>
    HOSTS.map(async (servername) => {
      const answer = await handshake({ port: https, servername, ca });
      return `${name} ${servername} ${answer.kind === "served" ? "served" : answer.error}`;
    }),
  );
  return Promise.all(lines);
}
const good = (): readonly string[] => farm.nodes.flatMap(({ name }) => HOSTS.map((host) => `${name} ${host} served`));

describe("a farm where web1 is right, web2 and web3 lost the central row, and web4 has a row that shadows it", () => {
  it("is healthy at first, and nothing is found", async () => {
    const report = await doctor(0);
    expect(errors(report)).toEqual([]);
    expect(report.matrix.flatMap(({ cells }) => cells.map(({ state }) => state))).toEqual(
      report.matrix.flatMap(() => report.nodes.map(() => "ok")),
    );
    expect(await served()).toEqual(good());
  });

  it("has exactly these two causes named on these nodes, and every refusal was journalled", async () => {
    for (const node of ["web2", "web3"]) await certfarm(["bindings", "delete", "central:443", "--node", node]);
    await certfarm(["bindings", "add", "ip:127.0.0.1:443", "--file", "legacy.shop.localhost.pfx", "--node", "web4"]);
    const before = await served();
    expect(before.filter((line) => line.endsWith(" served"))).toEqual([
      ...HOSTS.map((host) => `web1 ${host} served`),
      "web4 legacy.shop.localhost served",
    ]);
    const report = await doctor(1);
    await writeFile(join(farm.root, "broken.json"), JSON.stringify(report));
    expect(errors(report).toSorted()).toEqual(["central-row-missing: web2", "central-row-missing: web3", "ip-row-shadows: web4"]);
    for (const node of ["web2", "web3"]) {
      const { entries } = await farm.ask(node, "refusals", { after: 0, limit: 1_000 });
      const refused = new Set(entries.map(({ serverName }) => serverName));
      expect(HOSTS.filter((host) => !refused.has(host))).toEqual([]);
      expect(entries.map(({ reason }) => reason)).toContain("no-row");
    }
  });

  it("shows what a repair would do and changes nothing", async () => {
    const before = await served();
    const plan = await certfarm(["repair", "--dry-run"], 1);
    expect(plan).toMatch(/web2[\s\S]*add the central row for port 443/);
    expect(plan).toMatch(/web4[\s\S]*delete the row ip:127\.0\.0\.1:443/);
    expect(await served()).toEqual(before);
  });

  it("is mended: every node serves every host, nothing is drained, and the journal says so", async () => {
    await certfarm(["repair", "--yes"]);
    expect(await served()).toEqual(good());
    expect(errors(await doctor(0))).toEqual([]);
    expect(await farm.storeHandle.state.list("drains")).toEqual([]);
    expect(await certfarm(["repair", "history"])).toMatch(/mended/);
    await until(() => balancerTakesAll(), { what: "the balancer takes every node again" });
    expect(await certfarm(["repair", "--yes"])).toMatch(/nothing/i);
  });

  it("shows what changed since the report of the broken farm", async () => {
    const since = join(farm.root, "broken.json");
    expect(JSON.parse(await readFile(since, "utf8"))).toHaveProperty("findings");
    expect(await certfarm(["doctor", "--since", since])).toMatch(/central-row-missing|no longer|gone|mended/i);
  });
});

async function balancerTakesAll(): Promise<boolean> {
  const response = await fetch(`http://127.0.0.1:${farm.balancer.health}/state`, { signal: AbortSignal.timeout(5_000) });
  const state = (await response.json()) as { nodes: readonly { name: string; inRotation: boolean }[] }; // BalancerState
  return state.nodes.length === 4 && state.nodes.every(({ inRotation }) => inRotation);
}
