import { afterAll, beforeAll, expect, test } from "vitest";

import { requireHostName, parseIpAddress, silentLog, systemClock } from "../../base/index.ts";
import { probeTls } from "../../probe/index.ts";
import { createRequests } from "../../replica/index.ts";
import type { NodeRequestMap } from "../requests.ts";
import { createTestFarm, freePorts, testYaml, type TestFarm } from "../testing/test-node.ts";
import type { DrillName } from "./types.ts";

const HOST = "www.example.test";

let farm: TestFarm;
let port = 0;

async function ask<V extends keyof NodeRequestMap>(
  node: string,
  verb: V,
  input: NodeRequestMap[V]["input"],
): Promise<NodeRequestMap[V]["output"]> {
  const requests = createRequests(farm.store, { clock: systemClock, log: silentLog });
  return (await requests.send(node, verb, input, { timeoutMs: 8_000, signal: AbortSignal.timeout(10_000) })) as NodeRequestMap[V]["output"]; // the node's own answer
}
const start = (drill: DrillName, forMs = 60_000, node = "web1"): Promise<unknown> =>
  ask(node, "drill.start", { id: `D-${drill}`, drill, host: HOST, port: 443, forMs });
const dial = async (): Promise<string> => {
  const address = parseIpAddress("127.0.0.1") ?? expect.fail("no address");
  const host = requireHostName(HOST);
  const { outcome } = await probeTls({ clock: systemClock, target: { address, port }, host, timeoutMs: 3_000, verify: false });
  return outcome.kind === "served" && outcome.notAfter < Date.now() ? "expired" : outcome.kind;
};

beforeAll(async () => {
  farm = await createTestFarm();
  await farm.certify(`${HOST}.pem`, { names: [HOST] });
  const [https = 0, health = 0, other = 0, otherHealth = 0] = await freePorts(4);
  port = https;
  const nodes = [
    { name: "web1", https, health },
    { name: "web2", https: other, health: otherHealth },
  ];
  await farm.apply(testYaml({ nodes, sites: `  - { name: www, bindings: [https://${HOST}], redirect: https://elsewhere.example.test/ }` }));
  await (
    await farm.start("web1", { allowDrills: true })
  ).serving;
  await (
    await farm.start("web2")
  ).serving;
});
afterAll(() => farm.close());

test("a node that was not started for drills refuses them", async () => {
  await expect(start("expired", 60_000, "web2")).rejects.toMatchObject({ code: "NODE_DRILLS_OFF" });
});

test.each([
  ["central-row-missing", "alert"],
  ["wildcard-depth", "alert"],
  ["expired", "expired"],
  ["plain-http-on-tls-port", "error"],
  ["proxy-protocol-mismatch", "closed"],
] as const)("%s: a client gets %s until it is stopped", async (drill, met) => {
  expect(await dial()).toBe("served");
  await start(drill);
  await expect(start("clock-skew")).rejects.toMatchObject({ code: "DRILL_RUNS" });
  expect(await dial()).toBe(met);
  await ask("web1", "drill.stop", {});
  expect(await dial()).toBe("served");
});

test("a drill of the table is over when its part is done again, and what was put in is not drifting", async () => {
  await start("central-row-missing");
  expect(await ask("web1", "resync", { part: "table" })).toEqual({ part: "table", drift: [] });
  const { drills } = await ask("web1", "drill.show", {});
  expect(drills.at(-1)).toMatchObject({ drill: "central-row-missing", endedBy: "resync table" });
  expect(await dial()).toBe("served");
});

test("what cannot be done here is refused: files without a password are not locked", async () => {
  await expect(start("wrong-password")).rejects.toMatchObject({ code: "DRILL_NOT_POSSIBLE" });
});
