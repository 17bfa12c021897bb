import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { requireHostName, Secret, silentLog, systemClock } from "../base/index.ts";
import { createMemoryStore, type FarmStore } from "../store/index.ts";
import { compile, type Compiled } from "../workers/testing/compile.ts";
import { openCentralCertificates, type CentralSettings } from "./central.ts";
import { openKeptCopies } from "./keep.ts";
import { fixedPasswords } from "./passwords.ts";
import { makeCertificate, type TestFiles } from "./testing/certificate-files.ts";
import type { CentralCertificates, CertificateChange } from "./types.ts";

let compiled: Compiled;
let www: TestFiles;
let renewed: TestFiles;
let rsa: TestFiles;
let wild: TestFiles;
beforeAll(async () => {
  compiled = await compile("certificates/read-worker.ts");
  www = makeCertificate({ names: ["www.example.com"] });
  renewed = makeCertificate({ names: ["www.example.com"] });
  rsa = makeCertificate({ names: ["www.example.com"], key: "rsa" });
  wild = makeCertificate({ names: ["*.example.com", "example.com", "other.example"] });
});
afterAll(() => compiled.remove());

let store: FarmStore;
let down = false;
const opened: CentralCertificates[] = [];
beforeEach(() => {
  down = false;
  store = createMemoryStore({ faults: () => (down ? "unavailable" : undefined) });
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map((central) => central.close()));
  await store.close();
});

async function open(more: Partial<CentralSettings> = {}): Promise<CentralCertificates> {
  const folder = store.folder("certificates");
  const central = openCentralCertificates({
    folder,
    clock: systemClock,
    log: silentLog,
    passwords: fixedPasswords([new Secret("hush")]),
    scan: "off",
    follow: { pollMs: 100 },
    ...more,
    workers: { entry: compiled.entry, ...more.workers },
  });
  opened.push(central);
  await central.listed();
  return central;
}

const put = (file: string, bytes: Uint8Array): Promise<unknown> => store.folder("certificates").put(file, bytes);
const candidates = (central: CentralCertificates, host: string) => central.view.candidates(requireHostName(host));

/** Resolves with the change that makes a condition true; fails by the test's time-out. */
function when(central: CentralCertificates, condition: () => boolean): Promise<CertificateChange | undefined> {
  return new Promise((resolve) => {
    if (condition()) return resolve(undefined);
    const off = central.onChange((change) => {
      if (!condition()) return;
      off();
      resolve(change);
    });
  });
}

async function thumbprint(central: CentralCertificates, file: string): Promise<string | undefined> {
  await central.read([file]);
  const knowledge = central.view.file(file);
  return knowledge?.state === "usable" ? knowledge.leaf.thumbprint : undefined;
}

describe("files on demand", () => {
  it("are known by name first, and by content when they were asked for", async () => {
    await put("www.example.com.pfx", www.pfx("hush"));
    const central = await open();
    expect(candidates(central, "WWW.example.com")).toEqual([{ via: "exact", knowledge: { file: "www.example.com.pfx", state: "unread" } }]);
    await central.read(["www.example.com.pfx"]);
    expect(candidates(central, "www.example.com")[0]?.knowledge).toMatchObject({
      state: "usable",
      leaf: { keyType: "ecdsa", dnsNames: ["www.example.com"] },
    });
    const prepared = await central.prepared("www.example.com.pfx");
    expect(prepared?.chainPem).toContain("BEGIN CERTIFICATE");
    expect(prepared?.keyPem.reveal()).toContain("BEGIN PRIVATE KEY");
    expect(central.counts()).toMatchObject({ listed: 1, read: 1, unusable: 0 });
  });

  it("come as RSA and ECDSA pair, as wildcard, as .crt with .key, and in every spelling of an IDN", async () => {
    await put("www.example.com.rsa.pfx", rsa.pfx("hush"));
    await put("WWW.example.com.ecdsa.pem", www.pem);
    await put("_.example.com.crt", wild.certificate);
    await put("_.EXAMPLE.com.key", wild.key);
    await put("bu\u0308cher.example.pem", www.pem);
    const central = await open();
    const found = candidates(central, "www.example.com");
    expect(found.map(({ via }) => via)).toEqual(["exact", "exact", "wildcard"]);
    await central.read(found.map(({ knowledge }) => knowledge.file));
    const types = candidates(central, "www.example.com").map(({ knowledge }) =>
      knowledge.state === "usable" ? knowledge.leaf.keyType : knowledge,
    );
    expect(types).toEqual(["rsa", "ecdsa", "ecdsa"]);
    expect(candidates(central, "bücher.example").map(({ knowledge }) => knowledge.file)).toEqual(["bu\u0308cher.example.pem"]);
  });

  it("serve the other names of their certificates once they were read", async () => {
    await put("_.example.com.pem", wild.pem);
    const central = await open();
    expect(candidates(central, "other.example")).toEqual([]);
    const told = when(central, () => candidates(central, "other.example").length > 0);
    await central.read(["_.example.com.pem"]);
    expect(await told).toEqual({ files: [], listingChanged: true });
    expect(candidates(central, "other.example")).toMatchObject([
      { via: "covering", knowledge: { file: "_.example.com.pem", state: "usable" } },
    ]);
    expect(candidates(central, "www.example.com").map(({ via }) => via)).toEqual(["wildcard"]);
  });

  it("tell why they cannot be used", async () => {
    await put("empty.example.pfx", new Uint8Array());
    await put("locked.example.pfx", www.pfx("another password"));
    await put("torn.example.pfx", www.pfx("hush").subarray(0, 400));
    await put("lonely.example.crt", www.certificate);
    await put("large.example.pem", new Uint8Array(2 << 20));
    await put("pair.example.crt", www.certificate);
    await put("pair.example.key", renewed.key);
    const central = await open();
    const files = [...(await store.folder("certificates").names())].filter((name) => !name.endsWith(".key"));
    await central.read(files);
    const states = Object.fromEntries(files.map((file) => [file, central.view.file(file)]).map(([file, known]) => [file, known]));
    expect(states).toMatchObject({
      "empty.example.pfx": { state: "unusable", status: "malformed" },
      "locked.example.pfx": { state: "unusable", status: "wrong-password" },
      "torn.example.pfx": { state: "unusable", status: "malformed" },
      "lonely.example.crt": { state: "unusable", status: "no-key" },
      "large.example.pem": { state: "unusable", status: "too-costly" },
      "pair.example.crt": { state: "unusable", status: "key-mismatch" },
    });
    expect(central.counts().unusable).toBe(6);
    for (const report of central.reports(3))
      expect(report).toMatchObject({ servingEarlierVersion: false, problem: expect.stringMatching(/\S/) });
    expect(await central.prepared("torn.example.pfx")).toBeUndefined();
  });

  it("cost no store read for hosts that have none", async () => {
    await put("www.example.com.pem", www.pem);
    const calls: string[] = [];
    const counted = createMemoryStore({ faults: ({ verb }) => void calls.push(verb) });
    await counted.folder("certificates").put("www.example.com.pem", www.pem);
    const central = await open({ folder: counted.folder("certificates"), follow: { pollMs: 60_000 } });
    calls.length = 0;
    for (let i = 0; i < 10_000; i += 1) expect(candidates(central, `unknown-${i}.example.com`)).toEqual([]);
    expect(calls).toEqual([]);
    await counted.close();
  });

  it("are read once, however many ask at the same time or later", async () => {
    let reads = 0;
    const counted = createMemoryStore({ faults: ({ verb }) => void (reads += verb === "open" ? 1 : 0) });
    await counted.folder("certificates").put("www.example.com.pem", www.pem);
    const central = await open({ folder: counted.folder("certificates") });
    await Promise.all(Array.from({ length: 50 }, () => central.read(["www.example.com.pem", "www.example.com.pem"])));
    await central.read(["www.example.com.pem"]);
    await Promise.all(Array.from({ length: 50 }, () => central.prepared("www.example.com.pem")));
    expect(reads).toBe(1);
    await counted.close();
  });

  it("are refused, not queued without end, in a storm of names; the next askers are served", async () => {
    const names = Array.from({ length: 300 }, (_, i) => `host-${i}.example.com.pem`);
    for (const name of names) await put(name, www.pem);
    const central = await open({ limits: { maxWaiting: 100 } });
    const outcomes = await Promise.allSettled(names.map((name) => central.read([name])));
    const refused = outcomes.filter((outcome) => outcome.status === "rejected");
    expect(refused.length).toBeGreaterThan(150);
    for (const { reason } of refused) expect(reason).toMatchObject({ code: "CERTIFICATES_OVERLOADED" });
    expect(central.counts().read).toBe(300 - refused.length);
    const late = names.filter((name) => central.view.file(name)?.state === "unread").slice(0, 90);
    await Promise.all([...late, ...late].map((name) => central.read([name])));
    expect(late.every((name) => central.view.file(name)?.state === "usable")).toBe(true);
  });

  it("are read again when their key is not held any longer", async () => {
    await put("a.example.pem", www.pem);
    await put("b.example.pem", renewed.pem);
    const central = await open({ limits: { maxPrepared: 1 } });
    await central.read(["a.example.pem", "b.example.pem"]);
    const both = await Promise.all([central.prepared("a.example.pem"), central.prepared("b.example.pem")]);
    expect(both.every((prepared) => prepared !== undefined)).toBe(true);
    expect(both[0]?.keyPem.reveal()).not.toBe(both[1]?.keyPem.reveal());
  });

  it("leave a caller who gives up, and nobody else", async () => {
    await put("www.example.com.pem", www.pem);
    const central = await open();
    const giving = new AbortController();
    const first = central.read(["www.example.com.pem"], { signal: giving.signal });
    const second = central.read(["www.example.com.pem"]);
    giving.abort();
    await expect(first).rejects.toMatchObject({ code: "CANCELLED" });
    await second;
    expect(central.view.file("www.example.com.pem")?.state).toBe("usable");
  });
});

describe("changes", () => {
  it("a new file is listed, a removed one is gone, within a moment", async () => {
    const central = await open({ follow: { pollMs: 60_000 } });
    const came = when(central, () => candidates(central, "www.example.com").length === 1);
    await put("www.example.com.pem", www.pem);
    expect(await came).toEqual({ files: ["www.example.com.pem"], listingChanged: true });
    await central.read(["www.example.com.pem"]);
    const went = when(central, () => candidates(central, "www.example.com").length === 0);
    await store.folder("certificates").remove("www.example.com.pem");
    expect(await went).toEqual({ files: ["www.example.com.pem"], listingChanged: true });
    expect(central.view.file("www.example.com.pem")).toBeUndefined();
    expect(await central.prepared("www.example.com.pem")).toBeUndefined();
  });

  it("a good replacement is taken over; its key too", async () => {
    await put("www.example.com.pem", www.pem);
    const central = await open();
    const former = await thumbprint(central, "www.example.com.pem");
    const changed = when(central, () => central.reports(1)[0]?.thumbprint !== former);
    await put("www.example.com.pem", renewed.pem);
    expect(await changed).toEqual({ files: ["www.example.com.pem"], listingChanged: false });
    expect((await central.prepared("www.example.com.pem"))?.chainPem).toContain(renewed.certificate.toString().trim().split("\n")[1]);
  });

  it.each([
    ["a torn file", () => www.pem.subarray(0, 300)],
    ["0 octets", () => new Uint8Array()],
    ["another password", () => renewed.pfx("forgotten")],
    ["a certificate that has expired", () => makeCertificate({ names: ["www.example.com"], until: "20210101000000Z" }).pem],
    ["a certificate that is not yet valid", () => makeCertificate({ names: ["www.example.com"], from: "20980101000000Z" }).pem],
  ])("%s never displaces the good version in use, even when its key is no longer held", async (_name, bad) => {
    await put("www.example.com.pfx", www.pem);
    await put("other.example.pem", renewed.pem);
    const central = await open({ limits: { maxPrepared: 1 }, workers: {}, ...(await withKeep()) });
    const former = await thumbprint(central, "www.example.com.pfx");
    await central.read(["other.example.pem"]);
    expect(former).toBeDefined();
    await put("www.example.com.pfx", bad());
    await expect.poll(() => central.reports(1)[0]?.servingEarlierVersion, { interval: 10, timeout: 15_000 }).toBe(true);
    expect(central.view.file("www.example.com.pfx")).toMatchObject({ state: "usable", leaf: { thumbprint: former } });
    expect((await central.prepared("www.example.com.pfx"))?.keyPem.reveal()).toBeDefined();
    const mended = when(central, () => central.reports(9).every(({ servingEarlierVersion }) => !servingEarlierVersion));
    await put("www.example.com.pfx", renewed.pem);
    await mended;
    expect(await thumbprint(central, "www.example.com.pfx")).not.toBe(former);
  });

  it("the same leaf with another chain is told too", async () => {
    await put("www.example.com.pem", www.pem);
    const central = await open();
    const former = await thumbprint(central, "www.example.com.pem");
    const told = new Promise<CertificateChange>((resolve) => void central.onChange(resolve));
    await put("www.example.com.pem", Buffer.concat([www.pem, renewed.certificate]));
    expect(await told).toEqual({ files: ["www.example.com.pem"], listingChanged: false });
    expect(await thumbprint(central, "www.example.com.pem")).toBe(former);
  });

  it("a password that comes later opens the files that waited for it", async () => {
    await put("www.example.com.pfx", www.pfx("late"));
    let known: readonly Secret[] = [];
    let changed = false;
    const refresh = (): Promise<boolean> => Promise.resolve(changed);
    const central = await open({ passwords: { for: () => known, refresh } });
    await central.read(["www.example.com.pfx"]);
    expect(central.view.file("www.example.com.pfx")).toMatchObject({ status: "wrong-password" });
    const opens = when(central, () => central.view.file("www.example.com.pfx")?.state === "usable");
    known = [new Secret("late")];
    changed = true;
    await opens;
  });

  it("a bad file that is met at a start leaves the node's own copy of the good one in service", async () => {
    await put("www.example.com.pem", www.pem);
    const settings = await withKeep();
    const first = await open(settings);
    const former = await thumbprint(first, "www.example.com.pem");
    await first.close();
    await put("www.example.com.pem", www.pem.subarray(0, 200));
    const second = await open(settings);
    expect(await thumbprint(second, "www.example.com.pem")).toBe(former);
    expect(second.reports(1)).toMatchObject([{ status: "malformed", servingEarlierVersion: true }]);
  });

  it("a removed file takes the node's own copy with it", async () => {
    await put("www.example.com.pem", www.pem);
    const settings = await withKeep();
    const central = await open(settings);
    await central.read(["www.example.com.pem"]);
    await settings.keep?.flush();
    expect(await settings.keep?.get("www.example.com.pem")).toBeDefined();
    const went = when(central, () => central.view.file("www.example.com.pem") === undefined);
    await store.folder("certificates").remove("www.example.com.pem");
    await went;
    await settings.keep?.flush();
    expect(await settings.keep?.get("www.example.com.pem")).toBeUndefined();
  });

  it("a key that comes later completes its certificate", async () => {
    await put("www.example.com.crt", www.certificate);
    const central = await open();
    await central.read(["www.example.com.crt"]);
    const completed = when(central, () => central.view.file("www.example.com.crt")?.state === "usable");
    await put("www.example.com.key", www.key);
    await completed;
  });
});

describe("a store that is gone", () => {
  it("does not take its files along; what is known goes on, and comes level when it is back", async () => {
    await put("www.example.com.pem", www.pem);
    await put("other.example.pem", renewed.pem);
    const central = await open({ follow: { pollMs: 30, resyncMs: 30 } });
    await central.read(["www.example.com.pem"]);
    down = true;
    await expect.poll(() => central.staleSince, { interval: 10, timeout: 15_000 }).toBeDefined();
    expect(central.view.file("www.example.com.pem")?.state).toBe("usable");
    expect(await central.prepared("www.example.com.pem")).toBeDefined();
    expect(central.counts().listed).toBe(2);
    await central.read(["other.example.pem"]);
    expect(central.view.file("other.example.pem")).toMatchObject({ state: "unusable", status: "unreadable" });
    down = false;
    await expect.poll(() => central.view.file("other.example.pem")?.state, { interval: 10, timeout: 15_000 }).toBe("usable");
    await expect.poll(() => central.staleSince, { interval: 10, timeout: 15_000 }).toBeUndefined();
  });

  it("at a start: the node serves from its own copies", async () => {
    await put("www.example.com.pfx", www.pfx("hush"));
    await put("other.example.pem", renewed.pem);
    const settings = await withKeep();
    const first = await open(settings);
    const former = await thumbprint(first, "www.example.com.pfx");
    await first.close();
    down = true;
    const second = await open(settings);
    expect(second.staleSince).toBeDefined();
    expect(second.counts().listed).toBe(2);
    expect(await thumbprint(second, "www.example.com.pfx")).toBe(former);
    expect(second.reports(1)).toMatchObject([{ status: "unreadable", servingEarlierVersion: true }]);
    expect((await second.prepared("www.example.com.pfx"))?.keyPem.reveal()).toContain("PRIVATE KEY");
    await second.read(["other.example.pem"]);
    expect(second.view.file("other.example.pem")).toMatchObject({ state: "unusable", status: "unreadable" });
  });
});

describe("the scan", () => {
  it("finds the hosts that certificates cover beyond their files' names, and a restart does not repeat it", async () => {
    await put("_.example.com.pem", wild.pem);
    await put("www.example.com.pem", www.pem);
    await put("default.pem", makeCertificate({ names: ["parked.example"] }).pem);
    const settings = await withKeep();
    const first = await open({ ...settings, scan: { startAfterMs: 0, duty: 1 } });
    await expect.poll(() => first.counts().scan.state, { interval: 10, timeout: 15_000 }).toBe("complete");
    expect(candidates(first, "other.example")).toMatchObject([
      { via: "covering", knowledge: { state: "unread", file: "_.example.com.pem" } },
    ]);
    expect(candidates(first, "parked.example")).toEqual([]);
    expect(first.counts()).toMatchObject({ read: 0, scan: { files: 2 } });
    await first.close();
    const second = await open({ ...settings, scan: { startAfterMs: 600_000 } });
    await expect.poll(() => candidates(second, "other.example").length, { interval: 10, timeout: 15_000 }).toBe(1);
  });

  it("says when it stopped short, and takes in a file that changes later", async () => {
    await put("a.example.pem", www.pem);
    await put("b.example.pem", renewed.pem);
    const central = await open({ scan: { startAfterMs: 0, duty: 1, maxFiles: 1 } });
    await expect.poll(() => central.counts().scan.state, { interval: 10, timeout: 15_000 }).toBe("stopped-short");
    await put("c.example.pem", wild.pem);
    await expect.poll(() => candidates(central, "other.example").length, { interval: 10, timeout: 15_000 }).toBe(1);
  });
});

let folders: string[] = [];
afterEach(async () => {
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
  folders = [];
});

async function withKeep(): Promise<Pick<CentralSettings, "keep">> {
  const folder = await mkdtemp(join(tmpdir(), "kept-"));
  folders.push(folder);
  return { keep: await openKeptCopies({ folder, log: silentLog }) };
}
