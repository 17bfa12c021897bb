import { afterAll, beforeAll, expect, test } from "vitest";

import { silentLog, systemClock } from "../base/index.ts";
import { createRow, desiredTable, parseRowKey } from "../bindings/index.ts";
import { createRequests } from "../replica/index.ts";
import { createMemoryStore } from "../store/index.ts";
import { gatherEvidence } from "./gather-evidence.ts";
import { createRefusalJournal } from "./refusal-journal.ts";
import type { NodeRequestMap } from "./requests.ts";
import type { Node } from "./start-node.ts";
import { createTestFarm, freePorts, testYaml, type TestFarm } from "./testing/test-node.ts";

const SITES = `  - { name: www, bindings: [https://www.example.test], redirect: https://elsewhere.example.test/ }`;

let farm: TestFarm;
let node: Node;

const ask = async <V extends keyof NodeRequestMap>(verb: V, input: NodeRequestMap[V]["input"]): Promise<NodeRequestMap[V]["output"]> => {
  const requests = createRequests(farm.store, { clock: systemClock, log: silentLog });
  const signal = AbortSignal.timeout(10_000);
  return (await requests.send("web1", verb, input, { timeoutMs: 8_000, signal })) as NodeRequestMap[V]["output"]; // the node's own answer
};

beforeAll(async () => {
  farm = await createTestFarm();
  await farm.certify("www.example.test.pem", { names: ["www.example.test"] });
  const [https = 0, health = 0] = await freePorts(2);
  await farm.apply(testYaml({ nodes: [{ name: "web1", https, health, extra: "    reconcile: observe\n" }], sites: SITES }));
  node = await farm.start("web1");
  await node.serving;
});

afterAll(() => farm.close());

test("evidence tells the table, the drift as data, the certificates in use, a trial of the store, the clock and addresses", async () => {
  await ask("prove", {});
  await ask("table.delete", { key: parseRowKey("central:443") });
  await ask("table.add", { row: createRow({ key: parseRowKey("ip:127.0.0.1:443"), file: "www.example.test.pem", origin: "operator" }) });
  const before = systemClock.now();
  const evidence = await ask("evidence", {});
  expect(evidence).toMatchObject({
    report: { node: "web1", revision: 1, table: { rows: 1, reconcile: "observe" } },
    rows: [{ key: { kind: "ip", port: 443 }, file: "www.example.test.pem", origin: "operator" }],
    drift: [
      { kind: "extra", mend: "remove", key: { kind: "ip" }, shadows: [{ kind: "central", port: 443 }] },
      { kind: "missing", mend: "add", key: { kind: "central", port: 443 } },
    ],
    files: [{ file: "www.example.test.pem", status: "ok", servingEarlierVersion: false }],
    selfTest: { kind: "passed" },
  });
  expect(evidence.now).toBeGreaterThanOrEqual(before);
  expect(evidence.addresses).toContain("127.0.0.1");
  expect(evidence.report.proof).not.toHaveProperty("hosts");
  expect(await farm.store.state.list("self-test")).toEqual([]);
});

test("evidence names the ticket keys by a digest, never by the keys", async () => {
  const { ticketKeys } = await ask("evidence", {});
  const stored = await farm.store.state.read("tickets/keys");
  const text = new TextDecoder().decode(stored?.value);
  expect(ticketKeys).toMatch(/^[0-9a-f]{16}$/);
  expect(text).not.toContain(ticketKeys);
});

test.each([
  ["write", "write"],
  ["read", "read"],
  ["remove", "remove"],
] as const)("a store that fails to %s fails its trial there, and the rest of the evidence is told", async (verb, step) => {
  const store = createMemoryStore({ faults: (call) => (call.verb === verb ? "unavailable" : undefined) });
  const { table } = desiredTable([]);
  const evidence = await gatherEvidence({
    clock: systemClock,
    store,
    reconciler: { state: { applied: undefined, table, drift: [], problem: undefined } },
    journal: createRefusalJournal(systemClock),
    certificates: { reports: () => [] },
    tickets: { current: () => undefined },
    report: () => node.report(),
    refusedRequests: () => ({ total: 0, byReason: {}, last: [] }),
  });
  expect(evidence.selfTest).toMatchObject({ kind: "failed", step });
  expect(evidence).toMatchObject({ rows: [], drift: [], files: [], recentRefusals: { byReason: {} } });
  await store.close();
});

test("the table is made anew where drift is only observed, and a second time nothing changes", async () => {
  expect((await ask("table.show", {})).drift).toHaveLength(2);
  for (const _time of [1, 2]) expect(await ask("resync", { part: "table" })).toEqual({ part: "table", drift: [] });
  const { rows } = await ask("table.show", {});
  expect(rows).toMatchObject([{ key: { kind: "central", port: 443 } }]);
});

test("certificates, configuration, ticket keys and listeners are taken again", async () => {
  for (const part of ["certificates", "configuration", "ticket-keys", "listeners"] as const) {
    expect(await ask("resync", { part, ...(part === "certificates" ? { host: "www.example.test" } : {}) })).toEqual({ part, drift: [] });
  }
  expect((await ask("evidence", {})).files).toMatchObject([{ file: "www.example.test.pem", status: "ok" }]);
});

test("what is no host name is refused", async () => {
  await expect(ask("resync", { part: "certificates", host: "../x" })).rejects.toMatchObject({ code: "HOST_NAME_INVALID" });
});
