import { beforeEach, describe, expect, it } from "vitest";

import { createLog, instant, type Clock } from "../base/index.ts";
import { createMemoryBacking, createMemoryStore, type FarmStore } from "../store/index.ts";
import { fitReport, MAX_REPORT_BYTES } from "./report-size.ts";
import { createReports, type Reports } from "./reports.ts";
import { firstWhere } from "./testing/await-state.ts";
import { hostsOf, reportOf } from "./testing/report.ts";

let nowMs = 0;
const clock: Clock = { now: () => instant(10_000 + nowMs), monotonicMs: () => nowMs };
let backing = createMemoryBacking();
let store: FarmStore;
let reports: Reports;
let broken = false;

beforeEach(() => {
  nowMs = 0;
  broken = false;
  backing = createMemoryBacking();
  store = createMemoryStore({ backing, faults: () => (broken ? "unavailable" : undefined) });
  reports = createReports(store, { clock });
});
const another = (): Reports => createReports(createMemoryStore({ backing }), { clock });

describe("createReports", () => {
  it("overwrites a node's report in place and lists all by name", async () => {
    await reports.publish(reportOf("web2", { revision: 1 }));
    expect(await reports.publish(reportOf("web2", { revision: 2 }))).toEqual({ kind: "published" });
    await another().publish(reportOf("web1"));
    expect((await reports.all()).map(({ report }) => [report.node, report.revision])).toEqual([
      ["web1", 3],
      ["web2", 2],
    ]);
    await reports.remove("web1");
    await reports.remove("web1");
    expect(await reports.read("web1")).toBeUndefined();
  });

  it("replaces the report of the node's former process without a word", async () => {
    await another().publish(reportOf("web1", { pid: 7 }));
    expect(await reports.publish(reportOf("web1", { pid: 8 }))).toEqual({ kind: "published" });
  });

  it("tells both of two processes that report under one name", async () => {
    const lines: string[] = [];
    reports = createReports(store, { clock, log: createLog({ write: (line) => lines.push(line), now: () => 0 }) });
    const other = another();
    await reports.publish(reportOf("web1", { pid: 7 }));
    await other.publish(reportOf("web1", { pid: 8 }));
    expect(await reports.publish(reportOf("web1", { pid: 7 }))).toMatchObject({ kind: "contested", pid: 8 });
    expect(await other.publish(reportOf("web1", { pid: 8 }))).toMatchObject({
      kind: "contested",
      pid: 7,
      problem: expect.stringContaining("web1"),
    });
    await reports.publish(reportOf("web1", { pid: 7 }));
    expect(lines.filter((line) => line.includes("two nodes have one name"))).toHaveLength(1);
  });

  it("writes a report anew that an operator removed", async () => {
    await reports.publish(reportOf("web1"));
    await another().remove("web1");
    expect(await reports.publish(reportOf("web1"))).toEqual({ kind: "published" });
    expect(await reports.read("web1")).toBeDefined();
  });

  it("says since when the store takes none, and goes on when it does", async () => {
    await reports.publish(reportOf("web1"));
    broken = true;
    expect(await reports.publish(reportOf("web1"))).toMatchObject({ kind: "stale", since: 10_000 });
    nowMs = 500;
    expect(await reports.publish(reportOf("web1"))).toMatchObject({ kind: "stale", since: 10_000 });
    broken = false;
    expect(await reports.publish(reportOf("web1"))).toEqual({ kind: "published" });
  });

  it("takes ages from its own clock once it saw a report change", async () => {
    await reports.publish(reportOf("web1", { at: instant(4_000) }));
    expect((await reports.read("web1"))?.ageMs).toBe(6_000);
    nowMs = 100;
    expect((await reports.read("web1"))?.ageMs).toBe(6_100);
    await reports.publish(reportOf("web1", { at: instant(1) }));
    expect((await reports.read("web1"))?.ageMs).toBe(0);
    nowMs = 130;
    expect((await reports.read("web1"))?.ageMs).toBe(30);
  });

  it.each([
    ["is not JSON", "nodes/web9", "{"],
    ["is another node's", "nodes/web9", JSON.stringify(reportOf("web1"))],
    ["lacks its proofs", "nodes/web9", JSON.stringify({ ...reportOf("web9"), proof: {} })],
  ])("leaves out a report that %s, tells the log, and shows the others", async (_name, key, text) => {
    const lines: string[] = [];
    await store.state.write(key, new TextEncoder().encode(text), undefined);
    const logged = createReports(store, { clock, log: createLog({ write: (line) => lines.push(line), now: () => 0 }) });
    await logged.publish(reportOf("web1"));
    expect((await logged.all()).map(({ report }) => report.node)).toEqual(["web1"]);
    expect(lines.join()).toContain(key);
  });

  it("watches across an outage", async () => {
    const stop = new AbortController();
    const seen = reports.watch(stop.signal);
    const next = firstWhere(seen, (all) => all.length === 2);
    await reports.publish(reportOf("web1"));
    broken = true;
    await another().publish(reportOf("web2"));
    broken = false;
    expect(await next).toHaveLength(2);
    stop.abort();
  });
});

describe("fitReport", () => {
  const size = (value: unknown): number => Buffer.byteLength(JSON.stringify(value));
  const proof = { proved: 20_000, failed: 3, pending: 2, truncated: false };

  it("changes nothing of a report that fits, except the order of its hosts", () => {
    const hosts = [...hostsOf(2, "proved"), ...hostsOf(1, "failed")];
    const fitted = fitReport(reportOf("web1", { proof: { ...proof, hosts } }));
    expect(fitted.proof).toEqual({ ...proof, hosts: [...hostsOf(1, "failed"), ...hostsOf(2, "proved")] });
  });

  it("keeps failed and pending hosts of a million-host farm, cuts proved ones and says so", async () => {
    const hosts = [...hostsOf(20_000, "proved"), ...hostsOf(2, "pending"), ...hostsOf(3, "failed")];
    const fitted = fitReport(reportOf("web1", { proof: { ...proof, hosts } }));
    expect(size(fitted)).toBeLessThanOrEqual(MAX_REPORT_BYTES);
    expect(size(fitted)).toBeGreaterThan(MAX_REPORT_BYTES * 0.95);
    expect(fitted.proof).toMatchObject({ proved: 20_000, truncated: true });
    expect(fitted.proof.hosts.slice(0, 6).map(({ verdict }) => verdict)).toEqual([
      "failed",
      "failed",
      "failed",
      "pending",
      "pending",
      "proved",
    ]);
    expect(await reports.publish(reportOf("web1", { proof: { ...proof, hosts } }))).toEqual({ kind: "published" });
  });

  it("cuts long lists and long problems too", () => {
    const drift = Array.from({ length: 50_000 }, () => "row ".repeat(1000));
    const content = Array.from({ length: 5_000 }, (_, index) => ({
      folder: `f${index}`,
      digest: "",
      files: 0,
      problem: "x".repeat(5_000),
    }));
    expect(size(fitReport(reportOf("web1", { content, table: { rows: 1, drift, reconcile: "mend" } })))).toBeLessThan(512 * 1024);
  });
});
