import { createPrivateKey } from "node:crypto";
import { mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import type { Secret } from "../src/base/index.ts";
import { startEtcd, type EtcdCluster } from "../src/store/testing/etcd.ts";
import { handshake } from "./farm/clients/tls.ts";
import { DEFAULT_SITES } from "./farm/farm-yaml.ts";
import type { RunResult } from "./farm/run.ts";
import { startTestFarm, type TestFarm } from "./farm/start-test-farm.ts";
import { until } from "./farm/until.ts";

const HOST = "new.apps.localhost";

/** Every form in which a key may lie on a disk: its DER, the number that is secret in it, and both in base64 and hexadecimal. */
function formsOf(keyPem: Secret): readonly Buffer[] {
  const key = createPrivateKey(keyPem.reveal());
  const der = key.export({ type: "pkcs8", format: "der" });
  const scalar = Buffer.from(String(key.export({ format: "jwk" }).d), "base64url");
  const texts = [
    ...keyPem.reveal().split("\n").slice(1, -2),
    der.toString("base64"),
    ...[scalar, der].map((bytes) => bytes.toString("hex")),
  ];
  // Within base64 of something longer, three alignments are possible.
  const within = [0, 1, 2].map((skip) => scalar.subarray(skip, skip + 27).toString("base64"));
  return [der, scalar, ...[...texts, ...within].map((text) => Buffer.from(text))];
}

/** Files below a folder that hold one of these. */
async function filesWith(folder: string, needles: readonly Buffer[]): Promise<readonly string[]> {
  const found: string[] = [];
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const bytes = await readFile(path).catch(() => Buffer.of()); // a temporary file may be gone by now
    if (needles.some((needle) => bytes.includes(needle))) found.push(path);
  }
  return found;
}

async function filesForOthers(folder: string): Promise<readonly string[]> {
  const files = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
  const seen = await Promise.all(
    files.map(async ({ parentPath, name }) => ({ path: join(parentPath, name), mode: (await stat(join(parentPath, name))).mode & 0o077 })),
  );
  return seen.filter(({ mode }) => mode !== 0).map(({ path }) => path);
}

/** Adds a PFX by the command line; its key is what must be nowhere. */
async function addCertificate(farm: TestFarm): Promise<{ readonly added: RunResult; readonly forms: readonly Buffer[] }> {
  const { writePfx } = await import("../src/pki/index.ts");
  const { Secret: SecretText } = await import("../src/base/index.ts");
  const { chainPem, keyPem } = await farm.authority.issue({ names: [HOST] });
  const file = join(farm.root, "upload.pfx");
  await writeFile(file, await writePfx({ chainPem, keyPem }, { password: new SecretText("upload"), profile: "modern" }));
  await writeFile(join(farm.root, "upload-password"), "upload\n");
  const added = await farm.cli(["certs", "add", file, "--password-file", join(farm.root, "upload-password"), "--json"]);
  return { added, forms: formsOf(keyPem) };
}

const serves = (farm: TestFarm, host: string): Promise<unknown> =>
  until(
    async () => {
      const seen = await Promise.all(
        farm.nodes.map(({ https }) => handshake({ port: https, servername: host, ca: farm.authority.certificatePem })),
      );
      return seen.every((answer) => answer.kind === "served" && answer.names.includes(host));
    },
    { what: `every node serves ${host}`, deadlineMs: 40_000 },
  );

/** What else of the farm is secret: the ticket keys and the farm key. */
async function otherSecrets(farm: TestFarm): Promise<readonly Buffer[]> {
  const tickets = await farm.storeHandle.state.read("tickets/keys");
  const { current } = JSON.parse(Buffer.from(tickets?.value ?? []).toString()) as { current: { secret: string } };
  const farmKey = (await readFile(join(farm.root, "farm-key"), "utf8")).trim();
  return [current.secret, farmKey].flatMap((text) => [Buffer.from(text), Buffer.from(text, "base64")]);
}

describe("secrets of a farm over etcd", () => {
  let etcd: EtcdCluster;
  let blobs: string;
  let farm: TestFarm;
  let needles: readonly Buffer[] = [];
  beforeAll(async () => {
    etcd = await startEtcd();
    blobs = await mkdtemp(join(tmpdir(), "certfarm-blobs-"));
    farm = await startTestFarm({ balancer: false, admin: true, storeSettings: { place: etcd.address("farms/secret"), blobs } });
  });
  afterAll(async () => {
    await farm?.stop();
    await etcd?.stop();
    await rm(blobs, { recursive: true, force: true });
  });

  it("a certificate that is added is served by every node, and no password is needed for it", async () => {
    const { added, forms } = await addCertificate(farm);
    expect(added).toMatchObject({ code: 0 });
    expect(JSON.parse(added.stdout)).toMatchObject([{ file: `${HOST}.pem`, sealed: true, replaced: false }]);
    needles = forms;
    await serves(farm, HOST);
  });

  it("neither etcd's data nor a node's folder holds a key in the clear, after restarts too", async () => {
    const [first] = farm.nodes;
    await farm.process(first?.name ?? "").end();
    farm.process(first?.name ?? "").start();
    await farm.ready();
    await serves(farm, HOST);
    const all = [...needles, ...(await otherSecrets(farm))];
    for (const folder of [etcd.data, join(farm.root, "data"), join(farm.root, "local"), blobs])
      expect(await filesWith(folder, all)).toEqual([]);
    // The search sees what is there in the clear: the configuration.
    expect(await filesWith(etcd.data, [Buffer.from("bindings:")])).not.toEqual([]);
    for (const { name } of farm.nodes) expect(await filesForOthers(join(farm.root, "data", name, "certificates"))).toEqual([]);
  });

  it("the keys are changed while clients come, and not one of them fails", async () => {
    const stop = new AbortController();
    const failures: string[] = [];
    const clients = farm.nodes.map(async ({ https }) => {
      for (let at = 0; !stop.signal.aborted; at += 1) {
        const servername = at % 2 === 0 ? HOST : "www.shop.localhost";
        const answer = await handshake({ port: https, servername, ca: farm.authority.certificatePem });
        if (answer.kind === "failed") failures.push(answer.error);
      }
    });
    const status = async (): Promise<{ readonly code: number | null; readonly text: string }> => {
      const { code, stdout, stderr } = await farm.cli(["secrets", "status", "--json"]);
      return { code, text: stdout + stderr };
    };
    await until(async () => ((await status()).code === 0 ? true : undefined), { what: "every node has told of its farm key" });
    const rotated = await farm.cli(["secrets", "rotate", "--json"]);
    expect(JSON.parse(rotated.stdout)).toMatchObject({ generation: 2, dropped: [1], unreadable: [], finished: true });
    const next = join(farm.root, "next-farm-key");
    expect(await farm.cli(["secrets", "new-key", next])).toMatchObject({ code: 0 });
    expect(await farm.cli(["secrets", "rotate", "--farm-key-file", next])).toMatchObject({ code: 0 });
    expect(await farm.cli(["secrets", "rotate", "--drop-former-key"])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("SECRETS_KEY_WRONG") as string,
    });
    await rename(next, join(farm.root, "farm-key"));
    await until(async () => ((await farm.cli(["secrets", "rotate", "--drop-former-key"])).code === 0 ? true : undefined), {
      what: "the former farm key is given up",
    });
    expect(await status()).toMatchObject({ code: 0 });
    await serves(farm, HOST);
    stop.abort();
    await Promise.all(clients);
    expect(failures).toEqual([]);
  });

  it("a password of the farm opens a file that no node's own password opens", async () => {
    const { writePfx } = await import("../src/pki/index.ts");
    const { Secret: SecretText } = await import("../src/base/index.ts");
    const host = "kept.apps.localhost";
    const pfx = await writePfx(await farm.authority.issue({ names: [host] }), {
      password: new SecretText("kept in the farm"),
      profile: "modern",
    });
    await writeFile(join(farm.root, "kept-password"), "kept in the farm\n");
    const kept = await farm.cli(["secrets", "password", "add", "--password-file", join(farm.root, "kept-password"), "--files", "kept.*"]);
    expect(kept).toMatchObject({ code: 0 });
    expect(kept.stdout + (await farm.cli(["secrets", "password", "list"])).stdout).not.toContain("kept in the farm");
    await farm.putFile(`certificates/${host}.pfx`, pfx);
    await serves(farm, host);
    expect(await filesWith(etcd.data, [Buffer.from("kept in the farm")])).toEqual([]);
  });

  it("refuses what cannot be served, and a node without the farm key says what it needs", async () => {
    await writeFile(join(farm.root, "broken.pem"), "no certificate");
    expect(await farm.cli(["certs", "add", join(farm.root, "broken.pem")])).toMatchObject({
      code: 4,
      stderr: expect.stringContaining("CERTIFICATES_FILE_REFUSED") as string,
    });
    const gone = await farm.cli(["certs", "remove", "absent.pem"]);
    expect(gone).toMatchObject({ code: 2, stderr: expect.stringContaining("CERTIFICATES_FILE_ABSENT") as string });
    expect(await farm.cli(["certs", "remove", `${HOST}.pem`])).toMatchObject({ code: 0 });
  });
});

describe("secrets of a farm over a directory", () => {
  it("hold neither in its state nor in its certificates a key in the clear", async () => {
    const store = await mkdtemp(join(tmpdir(), "certfarm-store-"));
    const farm = await startTestFarm({
      nodes: 1,
      balancer: false,
      admin: true,
      storeSettings: { place: store },
      certificates: [{ file: "_.apps.localhost.pfx", names: ["*.apps.localhost"] }],
      sites: DEFAULT_SITES.filter(({ name }) => name === "apps"),
    });
    try {
      const { added, forms } = await addCertificate(farm);
      expect(added).toMatchObject({ code: 0 });
      await serves(farm, HOST);
      const all = [...forms, ...(await otherSecrets(farm))];
      for (const folder of [store, join(farm.root, "data")]) expect(await filesWith(folder, all)).toEqual([]);
      expect(await filesWith(store, [Buffer.from("bindings:")])).not.toEqual([]);
    } finally {
      await farm.stop();
      await rm(store, { recursive: true, force: true });
    }
  });
});
