import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

import { afterAll, afterEach, beforeAll, describe, expect, it, test } from "vitest";

import { instant, Secret } from "../base/index.ts";
import type { FileReading } from "../pki/index.ts";
import { compile, type Compiled } from "../workers/testing/compile.ts";
import { ReadingPool, type WorkerSettings } from "./reading-pool.ts";
import { makeCertificate } from "./testing/certificate-files.ts";

let folder = "";
let compiled: Compiled;
const pools: ReadingPool[] = [];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "pool-"));
  compiled = await compile("certificates/read-worker.ts");
});
afterEach(async () => {
  await Promise.all(pools.splice(0).map((pool) => pool.close()));
});
afterAll(async () => {
  await compiled.remove();
  await rm(folder, { recursive: true });
});

function poolOf(settings: WorkerSettings): ReadingPool {
  const pool = new ReadingPool(settings);
  pools.push(pool);
  return pool;
}

/** A worker that does what a file's first octet tells it to. */
async function obedientWorker(): Promise<URL> {
  const path = join(folder, "obedient.mjs");
  const code = `import { parentPort } from "node:worker_threads";
    parentPort.postMessage({ ready: true });
    const held = [];
    parentPort.on("message", ({ id, bytes }) => {
      const what = String.fromCharCode(bytes[0]);
      if (what === "x") process.exit(3);
      if (what === "h") for (;;);
      if (what === "m") for (;;) held.push(new Array(1e6).fill(id));
      if (what === "t") throw new Error("thrown in the worker");
      parentPort.postMessage({ id, reading: { status: "no-key", problem: what } });
    });`;
  await writeFile(path, code);
  return pathToFileURL(path);
}

const read = (pool: ReadingPool, text: string): Promise<FileReading> =>
  pool.read({ bytes: Buffer.from(text), passwords: [], now: instant(0) });

describe("the threads that open files", () => {
  it("open real files, with secrets that stay secret", async () => {
    const files = makeCertificate({ names: ["www.example.com"] });
    const pool = poolOf({ entry: compiled.entry });
    const bytes = files.pfx("hush");
    const reading = await pool.read({ bytes, passwords: [new Secret("wrong"), new Secret("hush")], now: instant(Date.now()) });
    expect(reading).toMatchObject({ status: "ok", facts: { format: "pkcs12", keyMatches: true } });
    expect(reading.prepared?.keyPem.reveal()).toContain("BEGIN PRIVATE KEY");
    expect(JSON.stringify(reading)).not.toContain("PRIVATE KEY");
    const pair = await pool.read({ bytes: files.certificate, keyBytes: files.key, passwords: [], now: instant(Date.now()) });
    expect(pair.status).toBe("ok");
    expect([bytes, files.certificate, files.key].every(({ byteLength }) => byteLength > 0)).toBe(true);
  });

  it("are started on first need only, and ended when idle", async () => {
    const pool = poolOf({ entry: await obedientWorker(), idleMs: 30 });
    expect(pool.alive).toBe(0);
    await read(pool, "a");
    expect(pool.alive).toBe(1);
    await expect.poll(() => pool.alive, { interval: 5, timeout: 15_000 }).toBe(0);
    expect((await read(pool, "b")).problem).toBe("b");
  });

  test.each([
    ["ends its thread", "x", /ended with code 3/],
    ["makes its thread throw", "t", /thrown in the worker/],
    ["takes all memory", "m", /memory/],
    ["never comes to an end", "h", /more than 300 ms/],
  ])("a file that %s is too costly, and the next file gets a new thread", async (_name, file, why) => {
    const pool = poolOf({ entry: await obedientWorker(), deadlineMs: file === "h" ? 300 : 20_000 });
    await read(pool, "warm");
    const [bad, next] = await Promise.all([read(pool, file), read(pool, "next")]);
    expect(bad).toMatchObject({ status: "too-costly", problem: expect.stringMatching(why) });
    expect(next.problem).toBe("n");
  });

  it("that cannot be started are an error of certfarm, not of the file", async () => {
    const pool = poolOf({ entry: pathToFileURL(join(folder, "absent.mjs")) });
    await expect(read(pool, "a")).rejects.toMatchObject({ code: "CERTIFICATES_READER_FAILED" });
  });

  it("are as many as were asked for, and no more", async () => {
    const pool = poolOf({ entry: await obedientWorker(), count: 2 });
    const all = await Promise.all(["a", "b", "c", "d"].map((text) => read(pool, text)));
    expect(all.map(({ problem }) => problem)).toEqual(["a", "b", "c", "d"]);
    expect(pool.alive).toBe(2);
  });

  it("reject what they were asked when they are closed", async () => {
    const pool = poolOf({ entry: await obedientWorker() });
    const asked = [read(pool, "h"), read(pool, "a")].map((reading) => reading.catch((error: unknown) => error));
    await pool.close();
    for (const answer of [...asked, read(pool, "a").catch((error: unknown) => error)])
      expect(await answer).toMatchObject({ code: "CANCELLED" });
    expect(pool.alive).toBe(0);
  });
});
