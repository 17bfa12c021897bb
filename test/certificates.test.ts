import { createHash, X509Certificate } from "node:crypto";
import { chmod, open, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { instant, Secret, type Instant } from "../src/base/index.ts";
import { writePfx } from "../src/pki/index.ts";
import { opensslClient } from "./farm/clients/openssl.ts";
import { handshake, openTls, request, type TlsAnswer } from "./farm/clients/tls.ts";
import { certificateFile, DEFAULT_CERTIFICATES, PFX_PASSWORD, type CertificateSpec } from "./farm/certificates.ts";
import { DEFAULT_SITES } from "./farm/farm-yaml.ts";
import { startTestFarm, type TestFarm } from "./farm/start-test-farm.ts";
import { until } from "./farm/until.ts";

/** The promise is one second on a local directory; a busy machine that runs the tests gets three. */
const SERVED_WITHIN_MS = 3_000;
const DAY_MS = 86_400_000;

let farm: TestFarm;

beforeAll(async () => {
  farm = await startTestFarm({
    nodes: 3,
    balancer: false,
    admin: true,
    sites: [...DEFAULT_SITES, { name: "rest", bindings: ["https://*"], content: "rest" }],
  });
});
afterAll(async () => farm?.stop());

/** What every node serves for a name. */
const served = (servername: string): Promise<readonly TlsAnswer[]> =>
  Promise.all(farm.nodes.map(({ https }) => handshake({ port: https, servername, ca: farm.authority.certificatePem })));

const isServedByAll = (answers: readonly TlsAnswer[], fingerprint: string): boolean =>
  answers.every((answer) => answer.kind === "served" && answer.fingerprint === fingerprint);

interface Issued {
  readonly bytes: Uint8Array;
  readonly fingerprint: string;
}

/** A PEM or PFX file and the fingerprint of its leaf. */
async function issue(spec: CertificateSpec, password = PFX_PASSWORD): Promise<Issued> {
  const issued = await farm.authority.issue(spec);
  const { chainPem, keyPem } = issued;
  const bytes = spec.file.endsWith(".pfx")
    ? await writePfx({ chainPem, keyPem }, { password, profile: spec.profile ?? "modern" })
    : Buffer.from(keyPem.reveal() + chainPem);
  return { bytes, fingerprint: new X509Certificate(Buffer.from(issued.certificateDer)).fingerprint256 };
}

async function put(spec: CertificateSpec): Promise<string> {
  const { bytes, fingerprint } = await issue(spec);
  await farm.putFile(`certificates/${spec.file}`, bytes);
  return fingerprint;
}

const pathOf = (file: string): string => join(farm.store, "certificates", file);

/** Waits until every node serves the certificate. @returns how long it took */
async function untilServed(host: string, fingerprint: string): Promise<number> {
  const ask = async (): Promise<boolean> => isServedByAll(await served(host), fingerprint);
  return (await until(ask, { what: `every node serves the new certificate of ${host}`, deadlineMs: SERVED_WITHIN_MS, everyMs: 20 })).tookMs;
}

/** Waits until no node serves the name. */
async function untilRefused(host: string): Promise<number> {
  const ask = async (): Promise<boolean> => (await served(host)).every((answer) => answer.kind === "failed");
  return (await until(ask, { what: `no node serves ${host}`, deadlineMs: SERVED_WITHIN_MS, everyMs: 20 })).tookMs;
}

describe("a file in the central folder", () => {
  it("that is dropped, replaced and removed is served, or not, by every node at once", async () => {
    const [file, host] = ["fresh.example.pfx", "fresh.example"];
    expect((await served(host)).every(({ kind }) => kind === "failed")).toBe(true);
    const took: Record<string, number> = {};
    const first = await put({ file, names: [host] });
    took["dropped"] = await untilServed(host, first);
    const second = await put({ file, names: [host], keyType: "rsa" });
    took["replaced"] = await untilServed(host, second);
    await rm(pathOf(file));
    took["removed"] = await untilRefused(host);
    for (const [what, tookMs] of Object.entries(took)) expect(tookMs, what).toBeLessThan(SERVED_WITHIN_MS);
  });

  it("that is replaced drops no connection", async () => {
    const [file, host] = ["steady.example.pfx", "steady.example"];
    await untilServed(host, await put({ file, names: [host] }));
    const sockets = await Promise.all(
      farm.nodes.map(({ https }) => openTls({ port: https, servername: host, ca: farm.authority.certificatePem })),
    );
    await untilServed(host, await put({ file, names: [host] }));
    await rm(pathOf(file));
    await untilRefused(host);
    for (const socket of sockets) {
      expect(await request(socket, host)).toMatch(/^HTTP\/1\.1 200 /);
      socket.destroy();
    }
  });

  it("of an exact name comes before a wildcard, which comes back when it is removed", async () => {
    const wild = await put({ file: "_.order.example.pfx", names: ["*.order.example"] });
    await untilServed("a.order.example", wild);
    const exact = await put({ file: "a.order.example.pfx", names: ["a.order.example"] });
    await untilServed("a.order.example", exact);
    expect(isServedByAll(await served("b.order.example"), wild)).toBe(true);
    expect((await served("x.b.order.example")).every(({ kind }) => kind === "failed")).toBe(true);
    await rm(pathOf("a.order.example.pfx"));
    await untilServed("a.order.example", wild);
  });

  it("serves the other names that its certificate holds, without copies", async () => {
    const fingerprint = await put({
      file: "many.example.pfx",
      names: ["many.example", "www.many.example", "*.sub.many.example", "other.example"],
    });
    await untilServed("many.example", fingerprint);
    for (const host of ["www.many.example", "a.sub.many.example", "other.example"]) await untilServed(host, fingerprint);
  });

  it("for an internationalised name is found under its Unicode and its A-label form", async () => {
    const unicode = await put({ file: "Bücher.example.pfx", names: ["xn--bcher-kva.example"] });
    await untilServed("xn--bcher-kva.example", unicode);
    const label = await put({ file: "xn--mller-kva.example.pem", names: ["xn--mller-kva.example"] });
    await untilServed("xn--mller-kva.example", label);
  });

  it("in any letter case serves the name", async () => {
    await untilServed("shout.example", await put({ file: "SHOUT.Example.PFX".replace("PFX", "pfx"), names: ["shout.example"] }));
    await untilServed("shout.example", await put({ file: "SHOUT.Example.pfx", names: ["shout.example"] }));
  });

  it("of certificate and key in two files is served when both are there", async () => {
    const { chainPem, keyPem } = await farm.authority.issue({ names: ["pair.example"] });
    await farm.putFile("certificates/pair.example.crt", chainPem);
    expect((await served("pair.example")).every(({ kind }) => kind === "failed")).toBe(true);
    await farm.putFile("certificates/pair.example.key", keyPem.reveal());
    await untilServed("pair.example", new X509Certificate(chainPem).fingerprint256);
  });

  it("as Windows Server 2012 writes it is served", async () => {
    await untilServed(
      "old.example",
      await put({ file: "old.example.pfx", names: ["old.example"], keyType: "rsa", profile: "windows-2012" }),
    );
  });

  it("without integrity protection is served", async () => {
    await untilServed("bare.example", await put({ file: "bare.example.pfx", names: ["bare.example"], profile: "no-mac" }));
  });

  it("beside its twin of the other key type is offered to the clients that can use it", async () => {
    await untilServed("twin.example", await put({ file: "twin.example.ecdsa.pfx", names: ["twin.example"] }));
    await put({ file: "twin.example.rsa.pfx", names: ["twin.example"], keyType: "rsa" });
    for (const { https } of farm.nodes) {
      const options = ["-tls1_2", "-sigalgs", "RSA+SHA256"];
      const rsa = async (): Promise<boolean> =>
        (await opensslClient({ port: https, serverName: "twin.example", caFile: farm.caFile, options })).code === 0;
      await until(rsa, { what: "the RSA certificate is offered", deadlineMs: SERVED_WITHIN_MS });
    }
    expect((await served("twin.example")).every(({ kind }) => kind === "served")).toBe(true);
  });
});

/** What `certs list` says of a file, once it says that. */
async function statusOf(file: string, status: string): Promise<void> {
  const ask = async (): Promise<boolean> => {
    const { stdout } = await farm.cli(["certs", "list", file, "--json"]);
    const files = JSON.parse(stdout) as readonly { file: string; reading: { status: string } }[]; // the route's shape
    return files.some((one) => one.file === file && one.reading.status === status);
  };
  await until(ask, { what: `certs list says ${status} of ${file}`, everyMs: 200 });
}

describe("a bad replacement never displaces the good one in use", () => {
  const [file, host] = ["held.example.pfx", "held.example"];
  let good: Issued;
  beforeAll(async () => {
    good = await issue({ file, names: [host] });
    await farm.putFile(`certificates/${file}`, good.bytes);
    await untilServed(host, good.fingerprint);
  });

  /** A later good file: once it is served, every node has looked at what came before it. */
  const settle = async (): Promise<void> => {
    await untilServed("settled.example", await put({ file: "settled.example.pfx", names: ["settled.example"] }));
  };

  it.each<[string, (path: string) => Promise<void>, string]>([
    ["half a file", async (path) => writeFile(path, good.bytes.subarray(0, good.bytes.length / 2)), "malformed"],
    ["0 bytes", async (path) => truncate(path, 0), "malformed"],
    [
      "another password",
      async (path) => writeFile(path, (await issue({ file, names: [host] }, new Secret("not the farm's"))).bytes),
      "wrong-password",
    ],
    ["text that is no certificate", async (path) => writeFile(path, "not a certificate\n".repeat(100)), "malformed"],
    [
      "a certificate that has expired",
      async (path) => writeFile(path, (await issue({ file, names: [host], ...expired() })).bytes),
      "expired",
    ],
    ["100 MB", async (path) => fill(path, 100_000_000), "too-costly"],
    ["a key that belongs to another certificate", async (path) => writeFile(path, await mismatched(host)), "key-mismatch"],
  ])("%s", async (_title, spoil, status) => {
    await spoil(pathOf(file));
    await statusOf(file, status);
    await settle();
    expect(isServedByAll(await served(host), good.fingerprint)).toBe(true);
    await farm.putFile(`certificates/${file}`, good.bytes);
    await statusOf(file, "ok");
  });

  it("a directory of its name, which nobody can read as a file", async () => {
    // The tests may run as root, for whom no file is unreadable by its mode.
    await rm(pathOf(file));
    await farm.putFile(`certificates/${file}/inside`, "x");
    await settle();
    expect((await served(host)).every(({ kind }) => kind === "failed") || isServedByAll(await served(host), good.fingerprint)).toBe(true);
    await rm(pathOf(file), { recursive: true });
    await farm.putFile(`certificates/${file}`, good.bytes);
    await untilServed(host, good.fingerprint);
  });

  it("and a torn write in place ends in the new certificate when it is complete", async () => {
    const next = await issue({ file, names: [host] });
    const handle = await open(pathOf(file), "w");
    for (let at = 0; at < next.bytes.length; at += 200) {
      await handle.write(next.bytes.subarray(at, at + 200));
      expect((await served(host)).every(({ kind }) => kind === "served")).toBe(true);
    }
    await handle.close();
    await untilServed(host, next.fingerprint);
    expect(
      createHash("sha256")
        .update(await readFile(pathOf(file)))
        .digest("hex"),
    ).toBe(createHash("sha256").update(next.bytes).digest("hex"));
  });
});

const expired = (): { readonly notBefore: Instant; readonly notAfter: Instant } => ({
  notBefore: instant(Date.now() - 9 * DAY_MS),
  notAfter: instant(Date.now() - DAY_MS),
});

async function fill(path: string, bytes: number): Promise<void> {
  await truncate(path, bytes);
  await chmod(path, 0o600);
}

async function mismatched(host: string): Promise<Uint8Array> {
  const [one, other] = [await farm.authority.issue({ names: [host] }), await farm.authority.issue({ names: [host] })];
  return writePfx({ chainPem: one.chainPem, keyPem: other.keyPem }, { password: PFX_PASSWORD, profile: "modern" });
}

describe("certfarm certs", () => {
  it("list names every file with its status and the one that wins", async () => {
    const { stdout, code } = await farm.cli(["certs", "list"]);
    for (const { file } of DEFAULT_CERTIFICATES) expect(stdout).toContain(file);
    expect([0, 1]).toContain(code);
  });

  it("check says what is wrong with a file, and ends with 0 only if every file is usable", async () => {
    const folder = farm.root;
    const spec = { file: "check.pfx", names: ["check.example"] as const };
    await writeFile(join(folder, "check.pfx"), await certificateFile(farm.authority, { ...spec, names: ["check.example"] }));
    await writeFile(join(folder, "broken.pfx"), "no certificate");
    await writeFile(join(folder, "password.txt"), `${PFX_PASSWORD.reveal()}\n`);
    const password = ["--password-file", join(folder, "password.txt")];
    const good = await farm.cli(["certs", "check", join(folder, "check.pfx"), ...password, "--json"]);
    expect(good.code).toBe(0);
    expect(JSON.parse(good.stdout)).toMatchObject([{ status: "ok", facts: { leaf: { dnsNames: ["check.example"] } } }]);
    const bad = await farm.cli([
      "certs",
      "check",
      join(folder, "check.pfx"),
      join(folder, "broken.pfx"),
      join(folder, "absent.pfx"),
      ...password,
      "--json",
    ]);
    expect(bad.code).toBe(1);
    expect((JSON.parse(bad.stdout) as { status: string }[]).map(({ status }) => status)).toEqual(["ok", "malformed", "unreadable"]);
  });
});
