import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { startCountingProxy } from "../src/store/testing/counting-proxy.ts";
import { startEtcd, type EtcdCluster } from "../src/store/testing/etcd.ts";
import { DEFAULT_CERTIFICATES } from "./farm/certificates.ts";
import { curlAll } from "./farm/clients/curl.ts";
import { handshake } from "./farm/clients/tls.ts";
import { farmProcess, MAIN } from "./farm/processes.ts";
import { run } from "./farm/run.ts";
import { startTestFarm, type Entrance, type TestFarm } from "./farm/start-test-farm.ts";
import { until } from "./farm/until.ts";

const HOST = "www.shop.localhost";
const PLACE = "farms/one";
const base64 = (text: string): string => Buffer.from(text).toString("base64");

describe("a farm of four nodes and a balancer over three members of etcd", () => {
  let etcd: EtcdCluster;
  let blobs: string;
  let farm: TestFarm;
  beforeAll(async () => {
    etcd = await startEtcd({ members: 3 });
    blobs = await mkdtemp(join(tmpdir(), "certfarm-blobs-"));
    farm = await startTestFarm({ nodes: 4, admin: true, storeSettings: { place: etcd.address(PLACE), blobs } });
  });
  afterAll(async () => {
    await farm?.stop();
    await etcd?.stop();
    await rm(blobs, { recursive: true, force: true });
  });

  /** What a client gets for a host at each node. */
  const served = (host: string): Promise<readonly string[]> =>
    Promise.all(
      farm.nodes.map(async ({ https }) => {
        const answer = await handshake({ port: https, servername: host, ca: farm.authority.certificatePem });
        return answer.kind === "served" ? answer.fingerprint : answer.error;
      }),
    );
  const connections = (host: string, count: number): ReturnType<typeof curlAll> => {
    const urls = Array.from({ length: count }, () => `https://${host}:${farm.balancer.https}/`);
    return curlAll({ urls, caFile: farm.caFile, options: ["--http1.1", "--header", "Connection: close"] });
  };
  const staleSince = async ({ health }: Entrance): Promise<string | undefined> => {
    const response = await fetch(`http://127.0.0.1:${health}/readyz`, { signal: AbortSignal.timeout(5_000) });
    const { ready, staleSince: since } = (await response.json()) as { ready: boolean; staleSince?: string };
    return ready ? since : undefined;
  };

  it("keeps no key in the clear and serves every host on every node", async () => {
    const { kvs } = (await etcd.call("/v3/kv/range", { key: base64(`${PLACE}/files/`), range_end: base64(`${PLACE}/files0`) })) as {
      kvs: readonly { readonly key: string; readonly value: string }[];
    };
    const certificates = kvs.filter(({ key }) => Buffer.from(key, "base64").toString().startsWith(`${PLACE}/files/certificates/`));
    expect(certificates).toHaveLength(DEFAULT_CERTIFICATES.length);
    for (const { names } of DEFAULT_CERTIFICATES) {
      const found = new Set(await served(names[0].replace("*", "any")));
      expect([...found].every((one) => one.includes(":"))).toBe(true);
    }
  });

  it("brings a replaced certificate to every node while a member is killed, and no client fails", async () => {
    const before = new Set(await served(HOST));
    const clients = connections(HOST, 40);
    await etcd.members[1]?.kill();
    await farm.putCertificate({ file: `${HOST}.pfx`, names: [HOST] });
    await until(async () => (await served(HOST)).every((one) => !before.has(one)), { what: "every node serves the new one" });
    expect(new Set(await served(HOST)).size).toBe(1);
    expect((await clients).flatMap(({ error }) => error ?? [])).toEqual([]);
    await etcd.members[1]?.start();
  });

  it("proves an applied configuration on every node", async () => {
    const file = join(farm.root, "next.yaml");
    await writeFile(file, farm.yaml({ limits: { maxLiveNames: 1_234 } }));
    const applied = await farm.cli(["config", "apply", file, "--wait", "30", "--json"]);
    expect(applied).toMatchObject({ code: 0 });
    const { revision } = JSON.parse(applied.stdout) as { revision: { number: number } };
    for (const report of await farm.reports()) expect(report).toMatchObject({ revision: revision.number });
  });

  it("serves pushed content on every node, from the store's blobs", async () => {
    const from = join(farm.root, "public");
    await mkdir(from);
    await writeFile(join(from, "pushed.txt"), "pushed");
    const pushed = await farm.cli(["content", "push", "shop", from, "--store", etcd.address(PLACE), "--blobs", blobs]);
    expect(pushed).toMatchObject({ code: 0, stdout: expect.stringContaining("1 file") as string });
    await until(async () => (await farm.cli(["content", "status"])).code === 0, { what: "every node has it" });
    const urls = farm.nodes.map(({ https }) => `https://${HOST}:${https}/pushed.txt`);
    expect((await curlAll({ urls, caFile: farm.caFile })).map(({ body }) => body)).toEqual(farm.nodes.map(() => "pushed"));
  });

  it("serves on without etcd, says so, and is fresh again when it is back", async () => {
    await Promise.all(etcd.members.map((member) => member.kill()));
    await until(async () => (await Promise.all(farm.nodes.map(staleSince))).every((since) => since !== undefined), {
      what: "every node says that it is stale",
      deadlineMs: 40_000,
    });
    expect((await connections(HOST, 8)).flatMap(({ error }) => error ?? [])).toEqual([]);
    await Promise.all(etcd.members.map((member) => member.start()));
    await until(async () => (await Promise.all(farm.nodes.map(staleSince))).every((since) => since === undefined), {
      what: "every node is fresh again",
      deadlineMs: 40_000,
    });
    await farm.ready();
  });

  it("asks next to nothing of etcd when nothing changes", async () => {
    const proxy = await startCountingProxy(etcd.members[0]?.port ?? 0);
    await farm.process("web4").end();
    const data = join(farm.root, "data", "web4");
    const args = ["node", "--name", "web4", "--store", `etcd://127.0.0.1:${proxy.port}/${PLACE}`, "--blobs", blobs, "--data", data];
    const keys = ["--passwords", farm.passwordFile, "--farm-key-file", join(farm.root, "farm-key")];
    const node = farmProcess("web4", [...args, ...keys], { binary: process.execPath, wrapper: [] });
    node.start();
    try {
      await farm.ready();
      // Whatever a start leaves to do is done when a whole look has few requests.
      await until(async () => (await proxy.look(3_000)).requestsPerSecond < 1, { what: "the node is at rest", deadlineMs: 40_000 });
    } finally {
      await node.end();
      await proxy.close();
    }
  });
});

describe("a command over etcd", () => {
  let etcd: EtcdCluster;
  let folder: string;
  const put = (key: string, value: string): Promise<unknown> => etcd.call("/v3/kv/put", { key: base64(key), value: base64(value) });
  beforeAll(async () => {
    etcd = await startEtcd({ args: ["--quota-backend-bytes", "1000000"] });
    folder = await mkdtemp(join(tmpdir(), "certfarm-test-"));
    await put("newer/meta/farm", JSON.stringify({ format: 99, farm: "x" }));
    await put("there/meta/farm", JSON.stringify({ format: 1, farm: "x" }));
  });
  afterAll(async () => {
    await etcd?.stop();
    await rm(folder, { recursive: true, force: true });
  });
  const certfarm = (...args: readonly string[]): ReturnType<typeof run> =>
    run(process.execPath, [MAIN, ...args], { timeoutMs: 60_000, env: { ...process.env, NO_COLOR: "1" } });

  it.each([
    ["a password in the address", "etcd://user:secret@127.0.0.1:1/x", [], "it holds a password"],
    ["a user without a password file", "etcd://user@127.0.0.1:1/x", [], "--store-password-file"],
    ["another kind of address", "redis://127.0.0.1", [], "neither a directory nor etcd"],
    ["a certificate without its key", "etcds://127.0.0.1/x", ["--store-cert", "c.pem"], "go together"],
    ["an option of etcd with a directory", "/tmp", ["--store-ca", "c.pem"], "is for a store in etcd"],
  ])("refuses %s before it starts, and tells no secret", async (_what, place, more, told) => {
    const { code, stderr } = await certfarm("node", "--name", "web1", "--store", place, ...more);
    expect(code).toBe(2);
    expect(stderr).toContain(told);
    expect(stderr).not.toContain("secret");
  });

  it.each([
    ["a prefix where no farm is", () => etcd.address("nobody"), "holds no farm"],
    ["a store that a newer certfarm wrote", () => etcd.address("newer"), "form 99"],
  ])("starts a node that says what is wrong with %s, and goes on trying", async (_what, place, told) => {
    const node = farmProcess("web1", ["node", "--name", "web1", "--store", place(), "--data", join(folder, "web1")], {
      binary: process.execPath,
      wrapper: [],
    });
    node.start();
    await until(() => Promise.resolve(node.log().includes(told)), { what: `the log says ${told}`, deadlineMs: 30_000 });
    expect(node.running).toBe(true);
    expect(await node.end()).toBe(0);
  });

  it("says that etcd's space is used up, and what to do", async () => {
    const value = "x".repeat(400_000);
    for (let at = 0; at < 4; at += 1) await put(`full/${at}`, value).catch(() => undefined);
    const { code, stdout } = await certfarm("store", "check", etcd.address("there"));
    expect(code).toBe(1);
    expect(stdout).toContain("etcdctl alarm disarm");
  });
});
