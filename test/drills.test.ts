import { utimes } from "node:fs/promises";
import { join } from "node:path";

import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";

import { startTestFarm, type TestFarm } from "./farm/start-test-farm.ts";
import { until } from "./farm/until.ts";

const HOST = "www.shop.localhost";

let farm: TestFarm;

beforeAll(async () => {
  farm = await startTestFarm({ nodes: 4, admin: true, allowDrills: true });
});
afterEach(async () => {
  await farm.cli(["drill", "stop"]);
});
afterAll(async () => farm?.stop());

interface Report {
  readonly findings: readonly {
    readonly code: string;
    readonly nodes: readonly string[];
    readonly severity: string;
    readonly summary: string;
  }[];
}
interface Score {
  readonly drill: string;
  readonly noticedMs?: number;
  readonly namedMs?: number;
  readonly mendedMs?: number;
  readonly endedBy?: string;
  readonly isWell: boolean;
  readonly clients?: { readonly dialled: number; readonly failed: number; readonly first?: string };
}

async function certfarm(args: readonly string[], codes: readonly number[] = [0]): Promise<unknown> {
  const result = await farm.cli([...args, "--json"]);
  if (!codes.includes(result.code ?? -1))
    throw new Error(`certfarm ${args.join(" ")} ended with ${result.code}: ${result.stdout}\n${result.stderr}`);
  return JSON.parse(result.stdout);
}
const start = async (name: string, node: string): Promise<Score> =>
  (await certfarm(["drill", "start", name, "--node", node, "--host", HOST])) as Score;
const doctor = async (): Promise<Report> => (await certfarm(["doctor", "--ca", farm.caFile], [0, 1])) as Report;
const newest = async (): Promise<Score> => ((await certfarm(["drill", "score"])) as readonly Score[])[0] ?? expect.fail("no score");

/** The balancer left the node out in time, and from then on no client met the fault. */
const NOTICED = { noticedMs: expect.any(Number) as number, isWell: true };

/** Findings that somebody has to act on. */
const serious = async (): Promise<readonly string[]> =>
  (await doctor()).findings.flatMap(({ severity, summary }) => (severity === "notice" ? [] : [summary]));

/** What the doctor finds first, with the nodes that it names. */
async function first(): Promise<string> {
  const { findings } = await doctor();
  const [finding] = findings;
  return finding === undefined ? "" : `${finding.code}: ${finding.nodes.join(" ")}`;
}

describe("a drill that the balancer has to notice and repair can mend", () => {
  it.each([
    ["central-row-missing", "central-row-missing", "web4"],
    ["ip-row-shadows", "ip-row-shadows", "web3"],
    ["chain-incomplete", "intermediate-missing", "web2"],
    ["expired", "certificate-expired", "web4"],
    ["wildcard-depth", "wildcard-depth", "web3"],
    ["plain-http-on-tls-port", "plain-http-on-tls-port", "web2"],
    ["proxy-protocol-mismatch", "proxy-protocol-mismatch", "web4"],
  ])("%s is noticed, found first as %s on %s, and mended; no client meets it", async (name, code, node) => {
    expect(await start(name, node)).toMatchObject(NOTICED);
    expect(await first()).toBe(`${code}: ${node}`);
    await certfarm(["repair", "--yes", "--ca", farm.caFile]);
    expect(await serious()).toEqual([]);
    const { namedMs, mendedMs } = await newest();
    expect({ namedMs, mendedMs }).toEqual({ namedMs: expect.any(Number), mendedMs: expect.any(Number) });
  });
});

describe("a drill that the balancer has to notice and repair cannot mend", () => {
  it("wrong-password is found first, and over when it is stopped", async () => {
    expect(await start("wrong-password", "web1")).toMatchObject(NOTICED);
    expect(await first()).toBe("central-password-differs: web1");
    await certfarm(["drill", "stop"]);
    expect(await serious()).toEqual([]);
  });

  it("node-dead is found first; the node stays dead until the drill is stopped", async () => {
    expect(await start("node-dead", "web3")).toMatchObject(NOTICED);
    await until(async () => !farm.process("web3").running, { what: "web3 is dead" });
    expect(await first()).toBe("node-silent: web3");
    farm.process("web3").start();
    await until(async () => farm.process("web3").log().includes("a drill keeps this node dead"), { what: "web3 says why" });
    expect(await first()).toBe("node-silent: web3");
    await certfarm(["drill", "stop"]);
    await farm.ready();
    expect((await newest()).mendedMs).toBeGreaterThan(0);
  });
});

describe("a drill that clients need not notice", () => {
  it.each([
    ["ticket-keys-differ", "ticket-keys-differ", "web2", "repair"],
    ["torn-config", "configuration-unusable", "web3", "repair"],
    ["clock-skew", "clock-skew", "web4", "stop"],
    ["store-gone", "store-stale", "web2", "stop"],
  ])("%s is found first as %s on %s, and mended by %s", async (name, code, node, by) => {
    expect(await start(name, node)).toMatchObject({ isWell: true, clients: { failed: 0 } });
    expect(await first()).toBe(`${code}: ${node}`);
    await certfarm(by === "repair" ? ["repair", "--yes", "--ca", farm.caFile] : ["drill", "stop"]);
    expect(await serious()).toEqual([]);
    expect((await newest()).mendedMs).toBeGreaterThan(0);
  });

  it("stale-certificate: a node that does not take over a replaced file is found, and mended by repair", async () => {
    await start("stale-certificate", "web3");
    await farm.putCertificate({ file: `${HOST}.pfx`, names: [HOST], notBefore: Date.now() as never });
    const past = new Date(Date.now() - 300_000);
    await utimes(join(farm.store, "certificates", `${HOST}.pfx`), past, past);
    await until(async () => (await first()) === "stale-certificate: web3", { what: "the former certificate is found" });
    await certfarm(["repair", "--yes", "--ca", farm.caFile]);
    expect(await serious()).toEqual([]);
  });
});

describe("who may drill", () => {
  it("a second drill on the same node, an unknown one and an unknown host are refused", async () => {
    await start("ticket-keys-differ", "web1");
    await expect(certfarm(["drill", "start", "torn-config", "--node", "web1", "--host", HOST])).rejects.toThrow(
      /DRILL_NOT_POSSIBLE|drill already/,
    );
    await expect(certfarm(["drill", "start", "torn-confg"])).rejects.toThrow(/torn-config/);
    await expect(certfarm(["drill", "start", "expired", "--host", "nobody.invalid"])).rejects.toThrow(/nobody\.invalid/);
    await certfarm(["drill", "stop"]);
  });
});
