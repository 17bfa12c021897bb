import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { Secret, silentLog, systemClock } from "../../base/index.ts";
import { openEtcdStore, type EtcdStoreOptions, type FarmStore } from "../index.ts";
import { startEtcd, type EtcdCluster } from "../testing/etcd.ts";
import { makeTempRoot } from "../testing/temp-root.ts";

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const base64 = (value: string): string => Buffer.from(value).toString("base64");

let files: string;
const opened: FarmStore[] = [];
beforeAll(async () => {
  files = await makeTempRoot();
});
afterAll(async () => {
  await Promise.all(opened.map((store) => store.close()));
  await rm(files, { recursive: true, force: true });
});

async function open(options: Pick<EtcdStoreOptions, "url" | "user" | "tls" | "patienceMs">): Promise<FarmStore["state"]> {
  const store = await openEtcdStore({ ...options, blobs: files, log: silentLog, clock: systemClock });
  opened.push(store);
  return store.state;
}

describe("user and password", () => {
  let etcd: EtcdCluster;
  const user = (password: string, name = "certfarm"): NonNullable<EtcdStoreOptions["user"]> => ({ name, password: new Secret(password) });

  /** etcd forgets a token that nobody used for a second. */
  const tokenIsForgotten = (): Promise<void> | undefined => etcd.members[0]?.says("deleted a simple token");

  beforeAll(async () => {
    etcd = await startEtcd({ args: ["--auth-token-ttl", "1", "--bcrypt-cost", "4", "--log-level", "info"] });
    const steps: readonly (readonly [string, unknown])[] = [
      ["user/add", { name: "root", password: "of the root" }],
      ["user/add", { name: "certfarm", password: "sesame" }],
      ["role/add", { name: "root" }],
      ["role/add", { name: "certfarm" }],
      ["role/grant", { name: "certfarm", perm: { permType: "READWRITE", key: base64("mine/"), range_end: base64("mine0") } }],
      ["user/grant", { user: "root", role: "root" }],
      ["user/grant", { user: "certfarm", role: "certfarm" }],
      ["enable", {}],
    ];
    for (const [path, body] of steps) await etcd.call(`/v3/auth/${path}`, body);
  });
  afterAll(() => etcd.stop());

  it("opens, and logs in anew when its token has run out, in a call and in a watch", async () => {
    const state = await open({ url: etcd.address("mine"), user: user("sesame") });
    const before = state.watch("k", { signal: AbortSignal.timeout(20_000) })[Symbol.asyncIterator]();
    const first = (await before.next()).value;
    const rev = await state.write("k/1", text("1"), undefined);
    await tokenIsForgotten();
    const cursor = first?.type === "reset" ? first.cursor : "";
    const watch = state.watch("k", { cursor, signal: AbortSignal.timeout(20_000) })[Symbol.asyncIterator]();
    expect((await watch.next()).value).toMatchObject({ type: "put", entry: { rev } });
    await tokenIsForgotten();
    await state.write("k/1", text("2"), rev);
    expect((await watch.next()).value).toMatchObject({ type: "put", entry: { value: text("2") } });
  });

  it.each([
    ["a wrong password", "mine", user("wrong")],
    ["a user that is not there", "mine", user("sesame", "nobody")],
    ["no user", "mine", undefined],
    ["a prefix of somebody else", "other", user("sesame")],
  ])("refuses %s", async (_name, prefix, who) => {
    const opening = open({ url: etcd.address(prefix), ...(who === undefined ? {} : { user: who }) });
    const error: unknown = await opening.catch((error: unknown) => error);
    expect(error).toMatchObject({ code: "STORE_REFUSED" });
    expect(JSON.stringify(error)).not.toContain("sesame");
  });

  it("never sends a password over a network in the clear", async () => {
    const opening = open({ url: "etcd://etcd.example.com:2379/mine", user: user("sesame") });
    await expect(opening).rejects.toMatchObject({ code: "STORE_URL_INVALID" });
  });
});

describe("TLS", () => {
  let etcd: EtcdCluster;
  let folder: string;
  const pem = (name: string): string => readFileSync(join(folder, name), "utf8");
  const openssl = (...words: string[]): Buffer => execFileSync("openssl", words, { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });

  beforeAll(async () => {
    folder = await makeTempRoot();
    const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
    for (const ca of ["ca", "other-ca"])
      openssl("req", "-x509", ...key, "-keyout", `${ca}.key`, "-out", `${ca}.pem`, "-subj", `/CN=${ca}`, "-days", "2");
    writeFileSync(join(folder, "ext"), "subjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth,clientAuth\n");
    for (const name of ["server", "client"]) {
      openssl("req", "-new", ...key, "-keyout", `${name}.key`, "-out", `${name}.csr`, "-subj", `/CN=${name}`);
      const signing = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "ext", "-days", "2"];
      openssl("x509", "-req", "-in", `${name}.csr`, ...signing, "-out", `${name}.pem`);
    }
    const at = (name: string): string => join(folder, name);
    const server = ["--cert-file", at("server.pem"), "--key-file", at("server.key")];
    etcd = await startEtcd({ tls: true, args: [...server, "--client-cert-auth", "--trusted-ca-file", at("ca.pem")] });
  });
  afterAll(async () => {
    await etcd.stop();
    await rm(folder, { recursive: true, force: true });
  });

  it("writes, reads and watches with an authority and a client certificate", async () => {
    const state = await open({
      url: etcd.address("tls"),
      tls: { ca: pem("ca.pem"), cert: pem("client.pem"), key: new Secret(pem("client.key")) },
    });
    const watch = state.watch("k", { signal: AbortSignal.timeout(20_000) })[Symbol.asyncIterator]();
    await watch.next();
    await state.write("k/1", text("1"), undefined);
    expect((await watch.next()).value).toMatchObject({ type: "put", entry: { value: text("1") } });
  });

  it("refuses a server of another authority", async () => {
    await expect(open({ url: etcd.address("tls"), tls: { ca: pem("other-ca.pem") } })).rejects.toMatchObject({ code: "STORE_UNTRUSTED" });
  });

  it("says so when the server wants a client certificate", async () => {
    await expect(open({ url: etcd.address("tls"), tls: { ca: pem("ca.pem") } })).rejects.toMatchObject({ code: "STORE_UNTRUSTED" });
  });
});

describe("a wrong address", () => {
  it("with nobody behind it is unavailable, within its time", async () => {
    await expect(open({ url: "etcd://127.0.0.1:1/x", patienceMs: 1000 })).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
  });

  it.each(["<html>", "{}"])("with a web server behind it that answers %s is unavailable and says what is there", async (answer) => {
    const server = createServer((_request, response) => response.end(answer)).listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const opening = open({ url: `etcd://127.0.0.1:${port}/x`, patienceMs: 1000 });
    await expect(opening).rejects.toMatchObject({
      code: "STORE_UNAVAILABLE",
      message: expect.stringContaining("does not answer like etcd") as string,
    });
    server.close();
    server.closeAllConnections();
  });
});
