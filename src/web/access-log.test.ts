import { mkdir, mkdtemp, readdir, readFile, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import * as fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { instant, type Clock } from "../base/index.ts";
import { AccessLineWriter } from "./access-line.ts";
import { openAccessLog, type AccessEntry } from "./index.ts";

let dir: string;
let nowMs = Date.UTC(2026, 10, 24, 23, 59, 58);
const clock: Clock = { now: () => instant(nowMs), monotonicMs: () => nowMs };

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "access-"));
  nowMs = Date.UTC(2026, 10, 24, 23, 59, 58);
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const entry = (more: Partial<AccessEntry> = {}): AccessEntry => ({
  protocol: "https",
  httpVersion: "2.0",
  method: "GET",
  host: "www.example.test",
  path: "/a",
  query: "x=1",
  port: 443,
  site: "www",
  clientAddress: "198.51.100.7",
  clientSubject: "",
  userAgent: "Mozilla/5.0 (X11; Linux)",
  referer: "",
  status: 200,
  bytes: 1234,
  tookMs: 3.7,
  aborted: false,
  ...more,
});

const read = async (name: string): Promise<string[]> => (await readFile(join(dir, name), "utf8")).trimEnd().split("\n");

describe("a line of W3C extended format", () => {
  it("is what IIS writes, field by field", async () => {
    const log = await openAccessLog({ dir, format: "w3c", clock, address: "10.0.0.4" });
    log.record(entry());
    log.record(entry({ aborted: true, status: 0, query: "", clientSubject: "CN=me", referer: "https://from.test/" }));
    await log.close();
    const lines = await read("access-20261124-001.log");
    expect(lines[2]).toBe("#Date: 2026-11-24 23:59:58");
    const names = lines[3]?.split(" ").slice(1) ?? [];
    const first = Object.fromEntries((lines[4]?.split(" ") ?? []).map((value, at) => [names[at], value]));
    expect(first).toEqual({
      date: "2026-11-24",
      time: "23:59:58",
      "s-ip": "10.0.0.4",
      "cs-method": "GET",
      "cs-uri-stem": "/a",
      "cs-uri-query": "x=1",
      "s-port": "443",
      "cs-username": "-",
      "c-ip": "198.51.100.7",
      "cs(User-Agent)": "Mozilla/5.0+(X11;+Linux)",
      "cs(Referer)": "-",
      "cs-host": "www.example.test",
      "s-sitename": "www",
      "cs-version": "HTTP/2.0",
      "sc-status": "200",
      "sc-substatus": "0",
      "sc-win32-status": "0",
      "sc-bytes": "1234",
      "time-taken": "4",
    });
    expect(lines[5]).toContain(" - 443 CN=me ");
    expect(lines[5]).toContain(" 0 0 64 ");
  });

  it("has the same number of fields whatever a client sends, and is one line", () => {
    const writer = new AccessLineWriter("w3c", "10.0.0.4");
    const any = fc.string({ unit: "binary", maxLength: 3_000 });
    fc.assert(
      fc.property(any, any, any, any, (path, query, userAgent, host) => {
        const line = writer.line(entry({ path, query, userAgent, host, method: path, referer: userAgent }), nowMs);
        expect(line).toMatch(/^[\x21-\x7e]+(?: [\x21-\x7e]+){18}\n$/);
      }),
    );
  });
});

describe("a line of JSON", () => {
  it("is one object, with a time, whatever a client sends", () => {
    const writer = new AccessLineWriter("json", "-");
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 2_000 }), (wild) => {
        const line = writer.line(entry({ path: wild, userAgent: wild }), nowMs);
        expect(line.indexOf("\n")).toBe(line.length - 1);
        expect(JSON.parse(line)).toMatchObject({ time: "2026-11-24T23:59:58.000Z", path: wild, userAgent: wild, status: 200, tookMs: 3.7 });
      }),
    );
  });
});

describe("the files", () => {
  it("begin anew with the day and with the size, and the oldest go", async () => {
    const log = await openAccessLog({ dir, format: "json", clock, maxFileBytes: 1_000, maxFiles: 3 });
    for (let round = 0; round < 6; round += 1) {
      log.record(entry({ path: `/${round}/${"x".repeat(500)}` }));
      await log.flush();
    }
    nowMs += 3_000;
    log.record(entry({ path: "/tomorrow" }));
    await log.close();
    const names = (await readdir(dir)).sort();
    expect(names).toEqual(["access-20261124-005.jsonl", "access-20261124-006.jsonl", "access-20261125-001.jsonl"]);
    expect((await read("access-20261125-001.jsonl")).map((line) => (JSON.parse(line) as AccessEntry).path)).toEqual(["/tomorrow"]);
    expect(log.dropped).toBe(0);
  });

  it("go on after a restart, and tell their fields again", async () => {
    for (let round = 0; round < 2; round += 1) {
      const log = await openAccessLog({ dir, format: "w3c", clock });
      log.record(entry());
      await log.close();
    }
    const lines = await read("access-20261124-001.log");
    expect(lines.filter((line) => line.startsWith("#Fields: "))).toHaveLength(2);
    expect(lines.filter((line) => line.startsWith("2026-11-24 "))).toHaveLength(2);
  });

  it("are written without being asked, soon and when much is waiting", async () => {
    const log = await openAccessLog({ dir, format: "json", clock });
    for (let round = 0; round < 400; round += 1) log.record(entry());
    await log.flush();
    expect(await read("access-20261124-001.jsonl")).toHaveLength(400);
    log.record(entry());
    while ((await read("access-20261124-001.jsonl")).length < 401) await new Promise((resolve) => setTimeout(resolve, 20));
    await log.close();
  });

  it("keep nothing back when they are closed while a write is under way", async () => {
    const log = await openAccessLog({ dir, format: "json", clock });
    for (let round = 0; round < 1_000; round += 1) log.record(entry());
    void log.flush();
    for (let round = 0; round < 10; round += 1) log.record(entry());
    await log.close();
    expect(await read("access-20261124-001.jsonl")).toHaveLength(1_010);
    log.record(entry());
    expect(log.dropped).toBe(1);
  });
});

describe("a disk in trouble", () => {
  it("at the start is an error that names the folder", async () => {
    const file = join(dir, "file");
    await symlink("/dev/null", file);
    await expect(openAccessLog({ dir: join(file, "logs"), format: "json", clock })).rejects.toMatchObject({
      code: "ACCESS_LOG_UNWRITABLE",
      message: expect.stringContaining("file/logs"),
    });
  });

  it("that is full costs counted entries, no error, and logging goes on when there is room again", async () => {
    const logs = join(dir, "logs");
    await mkdir(logs);
    // Every write to this device fails with ENOSPC.
    await symlink("/dev/full", join(logs, "access-20261125-001.jsonl"));
    const log = await openAccessLog({ dir: logs, format: "json", clock });
    nowMs += 3_000;
    log.record(entry());
    log.record(entry());
    await log.flush();
    expect(log.dropped).toBe(2);
    await rm(join(logs, "access-20261125-001.jsonl"));
    log.record(entry({ path: "/again" }));
    await log.close();
    expect(await readFile(join(logs, "access-20261125-001.jsonl"), "utf8")).toContain("/again");
    expect(log.dropped).toBe(2);
  });

  it("that is slow costs entries beyond a bound, not memory", async () => {
    const log = await openAccessLog({ dir, format: "json", clock });
    const path = `/${"x".repeat(2_000)}`;
    for (let round = 0; round < 5_000; round += 1) log.record(entry({ path }));
    expect(log.dropped).toBeGreaterThan(1_000);
    const dropped = log.dropped;
    await log.close();
    expect(await read("access-20261124-001.jsonl")).toHaveLength(5_000 - dropped);
  });
});
