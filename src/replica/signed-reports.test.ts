import { X509Certificate } from "node:crypto";

import { beforeEach, describe, expect, it } from "vitest";

import { createLog, instant, type Clock } from "../base/index.ts";
import type { Signing } from "../identity/index.ts";
import { makeTestAuthority, type TestAuthority } from "../identity/testing/test-identities.ts";
import { createMemoryBacking, createMemoryStore, type FarmStore } from "../store/index.ts";
import { encodeReport } from "./report-record.ts";
import { createReports, type Reports } from "./reports.ts";
import { reportOf } from "./testing/report.ts";

const NOW = instant(Date.parse("2026-06-15T12:00:00Z"));
let nowMs = 0;
const clock: Clock = { now: () => instant(NOW + nowMs), monotonicMs: () => nowMs };
let farm: TestAuthority;
let store: FarmStore;
let lines: string[];
/** An admin's reports; what is not believed is in `lines`. */
let admin: Reports;

beforeEach(async () => {
  nowMs = 0;
  lines = [];
  farm = await makeTestAuthority(undefined, NOW);
  store = createMemoryStore({ backing: createMemoryBacking() });
  admin = createReports(store, {
    clock,
    signing: await farm.signing("admin", "ops"),
    log: createLog({ write: (line) => lines.push(line), now: () => 0 }),
  });
});

const of = (name: string, at = clock.now()) => reportOf(name, { at });
const reportsAs = (signing: Signing): Reports => createReports(store, { clock, signing });
const names = async (): Promise<readonly string[]> => (await admin.all()).map(({ report }) => report.node);

async function overwrite(key: string, value: Uint8Array): Promise<void> {
  await store.state.write(key, value, (await store.state.read(key))?.rev);
}

describe("reports of a farm with identities", () => {
  it("are believed when the node itself signed them, and read without verifying by who has no identity", async () => {
    await reportsAs(await farm.signing("node", "web1")).publish(of("web1"));
    expect(await names()).toEqual(["web1"]);
    expect(admin.refused()).toEqual([]);
    expect((await createReports(store, { clock }).all()).map(({ report }) => report.node)).toEqual(["web1"]);
  });

  it.each<[string, (signing: (role: "node" | "balancer", name: string) => Promise<Signing>) => Promise<void>, string]>([
    ["not signed at all", async () => overwrite("nodes/web1", encodeReport(of("web1"))), "it is not signed"],
    [
      "signed by another node",
      async (signing) => void (await reportsAs(await signing("node", "web2")).publish(of("web1"))),
      'node "web2" signed it',
    ],
    [
      "signed by a balancer",
      async (signing) => void (await reportsAs(await signing("balancer", "web1")).publish(of("web1"))),
      "only a process with the role node",
    ],
    [
      "signed by the same name in another farm",
      async () =>
        void (await reportsAs(await (await makeTestAuthority("ffffffffffffffff", NOW)).signing("node", "web1")).publish(of("web1"))),
      "it is for the farm",
    ],
    [
      "another node's, put under this one's name",
      async (signing) => {
        await reportsAs(await signing("node", "web2")).publish(of("web2"));
        const entry = await store.state.read("nodes/web2");
        await overwrite("nodes/web1", entry?.value ?? new Uint8Array());
        await store.state.remove("nodes/web2", entry?.rev ?? ("" as never)); // it was just written
      },
      "signed it",
    ],
  ])("are refused when they are %s, and that is told once", async (_, forge, problem) => {
    await forge((role, name) => farm.signing(role, name));
    expect(await names()).toEqual([]);
    expect(await names()).toEqual([]);
    expect(admin.refused()).toEqual([expect.stringContaining(problem)]);
    expect(lines).toHaveLength(1);
    await expect(admin.read("web1")).rejects.toMatchObject({ code: "REPORT_REFUSED" });
  });

  it("are refused when an older one is put back", async () => {
    const web1 = reportsAs(await farm.signing("node", "web1"));
    await web1.publish(of("web1"));
    const old = (await store.state.read("nodes/web1"))?.value;
    nowMs = 60_000;
    await web1.publish(of("web1"));
    expect(await names()).toEqual(["web1"]);
    await overwrite("nodes/web1", old ?? new Uint8Array());
    expect(await names()).toEqual([]);
    expect(admin.refused()[0]).toContain("a newer one was seen before");
  });

  it("are refused as soon as the node is revoked, also those that were believed before", async () => {
    const signing = await farm.signing("node", "web1");
    await reportsAs(signing).publish(of("web1"));
    expect(await names()).toEqual(["web1"]);
    farm.revoked.add(new X509Certificate(signing.identity().certificatePem).serialNumber);
    expect(await names()).toEqual([]);
    expect(admin.refused()[0]).toContain("revoked");
  });
});
