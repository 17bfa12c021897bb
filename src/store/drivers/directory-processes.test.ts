import { spawn, type ChildProcessByStdio } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { silentLog, systemClock } from "../../base/index.ts";
import { openDirectoryStore, type FarmStore } from "../index.ts";
import { compileChild } from "../testing/compile.ts";
import { makeTempRoot } from "../testing/temp-root.ts";
import { sweepState } from "./directory/sweep.ts";
import { createGate } from "./directory/gate.ts";

type Child = ChildProcessByStdio<null, Readable, null>;
type Fact = Readonly<Record<string, unknown>>;

let compiled = "";
let program = "";
let root = "";
let store: FarmStore;
const children: Child[] = [];

function start(...args: readonly string[]): { readonly child: Child; readonly facts: AsyncIterator<Fact>; readonly told: Fact[] } {
  const child = spawn(process.execPath, [program, root, ...args], { stdio: ["ignore", "pipe", "inherit"] });
  children.push(child);
  const told: Fact[] = [];
  async function* read(): AsyncGenerator<Fact> {
    for await (const line of createInterface({ input: child.stdout })) {
      const fact = JSON.parse(line) as Fact; // our own child's line
      told.push(fact);
      yield fact;
    }
  }
  return { child, facts: read(), told };
}

async function drain(facts: AsyncIterator<Fact>): Promise<void> {
  while ((await facts.next()).done !== true);
}

beforeAll(async () => {
  compiled = await mkdtemp(join(tmpdir(), "certfarm-child-"));
  program = await compileChild(compiled);
});
afterAll(() => rm(compiled, { recursive: true, force: true }));
beforeEach(async () => {
  root = await makeTempRoot();
  store = await openDirectoryStore({ root, log: silentLog, clock: systemClock, pollMs: 100 });
});
afterEach(async () => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
  await store.close();
  await rm(root, { recursive: true, force: true });
});

describe("several processes over one directory", () => {
  it("lose no increment and never have one expectation accepted twice", async () => {
    const running = Array.from({ length: 4 }, () => start("increment", "60"));
    await Promise.all(running.map(({ facts }) => drain(facts)));
    const used = running.flatMap(({ told }) => told[0]?.["expected"] as string[]); // as the child told it
    expect(used).toHaveLength(240);
    expect(new Set(used).size).toBe(240);
    expect(new TextDecoder().decode((await store.state.read("counter"))?.value)).toBe("240");
  });

  it("keep every acknowledged write and never show a torn one when a writer is killed at any moment", async () => {
    const newest = new Map<string, number>();
    for (let round = 0; round < 8; round += 1) {
      const { child, facts, told } = start("write");
      await facts.next();
      const reading = drain(facts);
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 60));
      child.kill("SIGKILL");
      await Promise.all([reading, once(child, "close")]);
      for (const { key, number } of told) newest.set(String(key), Number(number));
      const entries = await store.state.list("crash");
      for (const { key, value } of entries) {
        expect(createHash("sha256").update(value.subarray(32)).digest("hex")).toBe(Buffer.from(value.subarray(0, 32)).toString("hex"));
        const found = Number(new TextDecoder().decode(value.subarray(32, 52)));
        expect(found).toBeGreaterThanOrEqual(newest.get(key) ?? 0);
      }
      for (const key of newest.keys()) expect(entries.some((entry) => entry.key === key)).toBe(true);
    }
    const temp = join(root, "state", "tmp");
    await sweepState(
      { keys: join(root, "state", "keys"), temp, hasLinks: true, gate: createGate() },
      { tempMs: -60_000, tombstoneMs: 86_400_000 },
      silentLog,
    );
    expect(await readdir(temp)).toEqual([]);
    expect(await store.state.list("crash")).toHaveLength(newest.size);
  });

  it("lose nothing and leave nothing behind when the disk takes no more", async () => {
    const limited = spawn("sh", ["-c", 'ulimit -f 40; exec "$0" "$@"', process.execPath, program, root, "overfill"], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    children.push(limited);
    const told: Fact[] = [];
    for await (const line of createInterface({ input: limited.stdout })) told.push(JSON.parse(line) as Fact); // our own child's line
    const refused = { failed: "STORE_UNAVAILABLE" };
    expect(told).toEqual([refused, refused, refused, refused, { kept: "small", created: false }, { again: true }]);
    expect(await readdir(join(root, "state", "tmp"))).toEqual([]);
    expect(await readdir(join(root, "config"))).toEqual([]);
  });

  it("have a stopped holder find its lease lost before its next write, once another took it over", async () => {
    const holder = start("hold");
    expect((await holder.facts.next()).value).toEqual({ fence: "1" });
    expect((await holder.facts.next()).value).toEqual({ wrote: true });
    holder.child.kill("SIGSTOP");
    const lease = await store.state.lease("rollout", 500, { signal: AbortSignal.timeout(20_000), wait: true });
    expect(lease?.fence).toBe(2n);
    const before = await store.state.read("work/holder");
    holder.child.kill("SIGCONT");
    await drain(holder.facts);
    const afterStop = holder.told.slice(holder.told.findLastIndex((fact) => fact["wrote"] === true) + 1);
    expect(afterStop).toEqual([{ lost: true }]);
    expect(lease?.lost.aborted).toBe(false);
    // At most the one write that was on its way when it was stopped.
    const versions = (rev: string | undefined): number => Number(rev?.split("-")[0]);
    expect(versions((await store.state.read("work/holder"))?.rev) - versions(before?.rev)).toBeLessThanOrEqual(1);
    await lease?.release();
  });
});
