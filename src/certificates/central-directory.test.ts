import { mkdir, mkdtemp, rename, rm, unlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { requireHostName, silentLog, systemClock } from "../base/index.ts";
import { openDirectoryStore, type FarmStore } from "../store/index.ts";
import { compile, type Compiled } from "../workers/testing/compile.ts";
import { openCentralCertificates } from "./central.ts";
import { openKeptCopies, type KeptCopies } from "./keep.ts";
import { makeCertificate, type TestFiles } from "./testing/certificate-files.ts";
import type { CentralCertificates } from "./types.ts";

const FILE = "www.example.com.pem";
const HOST = requireHostName("www.example.com");

let compiled: Compiled;
let first: TestFiles;
let second: TestFiles;
beforeAll(async () => {
  compiled = await compile("certificates/read-worker.ts");
  first = makeCertificate({ names: ["www.example.com"] });
  second = makeCertificate({ names: ["www.example.com"] });
});
afterAll(() => compiled.remove());

let root = "";
let store: FarmStore;
let central: CentralCertificates;
let keep: KeptCopies;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "central-"));
  await mkdir(join(root, "store", "certificates"), { recursive: true });
  keep = await openKeptCopies({ folder: join(root, "own"), log: silentLog });
});
afterEach(async () => {
  await central.close();
  await store.close();
  await keep.close();
  await rm(root, { recursive: true });
});

async function open(): Promise<void> {
  store = await openDirectoryStore({ root: join(root, "store"), log: silentLog, clock: systemClock, pollMs: 200 });
  const folder = store.folder("certificates");
  const follow = { pollMs: 200 };
  central = openCentralCertificates({
    folder,
    clock: systemClock,
    log: silentLog,
    keep,
    scan: "off",
    follow,
    workers: { entry: compiled.entry },
  });
  await central.listed();
}

const path = (...parts: string[]): string => join(root, "store", "certificates", ...parts);

/** Milliseconds until a condition holds after what is done; every change is a chance. */
async function timeUntil(condition: () => boolean, act: () => Promise<void>): Promise<number> {
  const done = new Promise<number>((resolve) => {
    const off = central.onChange(() => {
      if (!condition()) return;
      off();
      resolve(performance.now());
    });
  });
  await act();
  const acted = performance.now();
  return Math.max(0, (await done) - acted);
}

const thumbprint = (): string | undefined => {
  const knowledge = central.view.file(FILE);
  return knowledge?.state === "usable" ? knowledge.leaf.thumbprint : undefined;
};

describe("a local directory", () => {
  it("is followed within a second: a file dropped, replaced by rename, overwritten in place, removed", async () => {
    await open();
    const listed = (): boolean => central.view.candidates(HOST).length > 0;
    expect(await timeUntil(listed, () => writeFile(path(FILE), first.pem))).toBeLessThan(1_000);
    await central.read([FILE]);
    const one = thumbprint();
    expect(one).toBeDefined();
    await writeFile(path("incoming.tmp"), second.pem);
    expect(
      await timeUntil(
        () => thumbprint() !== one,
        () => rename(path("incoming.tmp"), path(FILE)),
      ),
    ).toBeLessThan(1_000);
    expect(
      await timeUntil(
        () => thumbprint() === one,
        () => writeFile(path(FILE), first.pem),
      ),
    ).toBeLessThan(1_000);
    expect(
      await timeUntil(
        () => !listed(),
        () => unlink(path(FILE)),
      ),
    ).toBeLessThan(1_000);
  });

  it("may be written slowly: half a file never shows, the whole one does", async () => {
    await writeFile(path(FILE), first.pem);
    await open();
    await central.read([FILE]);
    const one = thumbprint();
    await writeFile(path(FILE), second.pem.subarray(0, 500));
    await expect.poll(() => central.reports(1)[0]?.servingEarlierVersion, { interval: 5, timeout: 15_000 }).toBe(true);
    expect(thumbprint()).toBe(one);
    expect(await central.prepared(FILE)).toBeDefined();
    expect(
      await timeUntil(
        () => thumbprint() !== one,
        () => writeFile(path(FILE), second.pem),
      ),
    ).toBeLessThan(1_000);
    expect(central.reports(1)[0]?.servingEarlierVersion).toBe(false);
  });

  it("that vanishes takes nothing along; when it comes back its changes count", async () => {
    await writeFile(path(FILE), first.pem);
    await open();
    await central.read([FILE]);
    const one = thumbprint();
    await rename(join(root, "store"), join(root, "away"));
    await expect.poll(() => central.staleSince, { interval: 20, timeout: 15_000 }).toBeDefined();
    expect(thumbprint()).toBe(one);
    await writeFile(join(root, "away", "certificates", FILE), second.pem);
    await rename(join(root, "away"), join(root, "store"));
    await expect.poll(thumbprint, { interval: 20, timeout: 15_000 }).not.toBe(one);
    await expect.poll(() => central.staleSince, { interval: 20, timeout: 15_000 }).toBeUndefined();
  });
});
