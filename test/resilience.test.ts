import { rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { createRow, parseRowKey } from "../src/bindings/index.ts";
import { curl, curlAll } from "./farm/clients/curl.ts";
import { handshake, openTls, request } from "./farm/clients/tls.ts";
import { DEFAULT_CERTIFICATES } from "./farm/certificates.ts";
import { startTestFarm, type Entrance, type TestFarm } from "./farm/start-test-farm.ts";
import { until } from "./farm/until.ts";

const HOST = "www.shop.localhost";

/** The text of a page at one entrance, or why there is none. */
async function page(farm: TestFarm, entrance: Entrance, path = "/"): Promise<string> {
  const answer = await curl({ url: `https://${HOST}:${entrance.https}${path}`, caFile: farm.caFile });
  return answer.error ?? answer.body;
}

/** Which nodes answer, and how often, when many clients come through the balancer. */
async function answering(farm: TestFarm, count = 24): Promise<ReadonlyMap<string, number>> {
  const urls = Array.from({ length: count }, () => `https://${HOST}:${farm.balancer.https}/`);
  const answers = await curlAll({ urls, caFile: farm.caFile, options: ["--http1.1", "--header", "Connection: close"] });
  const found = new Map<string, number>();
  for (const { error, headers } of answers) {
    const who = error ?? headers.get("x-served-by") ?? "nobody";
    found.set(who, (found.get(who) ?? 0) + 1);
  }
  return found;
}

const answerersAre = (found: ReadonlyMap<string, number>, names: readonly string[]): boolean =>
  found.size === names.length && names.every((name) => found.has(name));

describe("a farm", () => {
  let farm: TestFarm;
  beforeAll(async () => {
    farm = await startTestFarm({ nodes: 2, admin: true, nodeKeys: { web2: { reconcile: "observe" } } });
  });
  afterAll(async () => farm?.stop());

  const node = (name: string): Entrance => farm.nodes.find((one) => one.name === name) ?? expect.fail(`there is no ${name}`);

  it("copies changed content to every node, and never serves half of a change", async () => {
    const files = Array.from({ length: 40 }, (_, index) => `part${index}.txt`);
    for (const version of ["one", "two"]) {
      await Promise.all(files.map((file) => farm.putFile(`content/shop/${file}`, `version ${version} of ${file}\n`.repeat(50))));
      for (const entrance of farm.nodes) {
        const isThere = async (): Promise<boolean> => (await page(farm, entrance, "/part0.txt")).startsWith(`version ${version}`);
        await until(isThere, { what: `version ${version} on ${entrance.name}` });
        const urls = files.map((file) => `https://${HOST}:${entrance.https}/${file}`);
        for (const { body } of await curlAll({ urls, caFile: farm.caFile })) expect(body).toMatch(new RegExp(`^version ${version} `));
      }
    }
    const digests = async (): Promise<boolean> => {
      const found = (await farm.reports()).map(({ content }) => content.find(({ folder }) => folder === "shop")?.digest);
      return found.length === 2 && found[0] !== undefined && new Set(found).size === 1;
    };
    await until(digests, { what: "every node reports the same content" });
  });

  it("with a node killed while it writes starts that node again in order, time after time", async () => {
    const victim = farm.process("web1");
    for (let round = 1; round <= 5; round += 1) {
      const text = `round ${round}\n`.repeat(5_000);
      const spec = { file: "www.shop.localhost.pfx", names: [HOST] as const };
      await Promise.all(Array.from({ length: 10 }, (_, index) => farm.putFile(`content/shop/big${index}.txt`, text)));
      await farm.putCertificate({ ...spec, names: [HOST] });
      await farm.saveYaml(farm.yaml({ limits: { maxLiveNames: 1_000 + round } }));
      // It writes now: a copy of the certificate, the content, the revision, its report.
      await until(
        async () =>
          victim.log().includes(`"revision":${round + 1}`) || (await page(farm, node("web1"), "/big0.txt")).startsWith(`round ${round}`),
        {
          what: "the node is at work",
          everyMs: 1,
        },
      );
      expect(await victim.end("SIGKILL")).toBe("SIGKILL");
      expect(await answering(farm, 10)).toEqual(new Map([["web2", 10]]));
      victim.start();
      await farm.ready();
      await until(async () => (await page(farm, node("web1"), "/big9.txt")) === text, { what: "the content of this round is whole" });
      const reports = await farm.reports();
      expect(reports.find((report) => report.node === "web1")).toMatchObject({ table: { drift: [] } });
    }
    expect(victim.log()).not.toMatch(/"level":"error"/);
  });

  it("with a node down serves by the others", async () => {
    await farm.process("web2").end("SIGKILL");
    expect(await answering(farm)).toEqual(new Map([["web1", 24]]));
    farm.process("web2").start();
    await farm.ready();
    await until(async () => answerersAre(await answering(farm), ["web1", "web2"]), { what: "both nodes answer again" });
  });

  it("drains a node and takes it back", async () => {
    const options = { port: farm.balancer.https, servername: HOST, ca: farm.authority.certificatePem };
    const open = await Promise.all(Array.from({ length: 8 }, () => openTls(options)));
    expect(await farm.cli(["drain", "web2"])).toMatchObject({ code: 0 });
    await until(async () => answerersAre(await answering(farm), ["web1"]), { what: "only web1 answers" });
    for (const socket of open) {
      expect(await request(socket, HOST)).toMatch(/^HTTP\/1\.1 200 /);
      socket.destroy();
    }
    expect(await farm.cli(["undrain", "web2"])).toMatchObject({ code: 0 });
    await until(async () => answerersAre(await answering(farm), ["web1", "web2"]), { what: "both nodes answer again" });
  });

  it("sends a name only to the nodes that proved it", async () => {
    const key = parseRowKey("ip:127.0.0.1:443");
    await farm.ask("web2", "table.add", { row: createRow({ key, file: "legacy.shop.localhost.pfx", origin: "operator" }) });
    const proofs = async (): Promise<boolean> => {
      const { status } = await fetch(`http://127.0.0.1:${node("web2").health}/readyz?host=${HOST}`);
      return status === 503;
    };
    await until(proofs, { what: "web2 says that it does not serve the name" });
    expect(await handshake({ port: node("web2").https, servername: HOST, ca: farm.authority.certificatePem })).toMatchObject({
      kind: "failed",
    });
    await until(async () => answerersAre(await answering(farm), ["web1"]), { what: "only web1 answers for the name" });
    expect((await farm.cli(["status"])).code).toBe(1);
    await farm.ask("web2", "table.delete", { key });
    await until(async () => answerersAre(await answering(farm), ["web1", "web2"]), { what: "both nodes answer again" });
  });

  it("serves on when its store vanishes, starts a node without it, and follows it when it is back", async () => {
    const away = `${farm.store}-away`;
    await farm.putCertificate({ file: "before.localhost.pfx", names: ["before.localhost"] });
    const before = { servername: "before.localhost", ca: farm.authority.certificatePem };
    for (const { https } of farm.nodes)
      await until(async () => (await handshake({ port: https, ...before })).kind === "served", { what: "served before" });
    await rename(farm.store, away);
    try {
      await farm.process("web1").end();
      farm.process("web1").start();
      const own = async (): Promise<boolean> => (await page(farm, node("web1"))).includes("<h1>shop</h1>");
      await until(own, { what: "the restarted node serves from its own copies", deadlineMs: 30_000 });
      for (const entrance of farm.entrances) {
        const urls = [HOST, "api.shop.localhost", "one.apps.localhost", "legacy.shop.localhost"].map(
          (host) => `https://${host}:${entrance.https}/`,
        );
        for (const answer of await curlAll({ urls, caFile: farm.caFile }))
          expect(answer).toMatchObject({ error: undefined, status: 200, verified: true });
        expect(await handshake({ port: entrance.https, ...before })).toMatchObject({ kind: "served" });
      }
      const isStale = (): Promise<boolean> =>
        Promise.resolve(farm.nodes.every(({ name }) => /stale|cannot be (read|reached)/.test(farm.process(name).log())));
      await until(isStale, { what: "every node says that it is stale" });
      expect((await farm.cli(["status"])).code).not.toBe(0);
    } finally {
      await rename(away, farm.store);
    }
    await farm.putCertificate({ file: "after.localhost.pfx", names: ["after.localhost"] });
    const after = { servername: "after.localhost", ca: farm.authority.certificatePem };
    for (const { https, name } of farm.nodes)
      await until(async () => (await handshake({ port: https, ...after })).kind === "served", { what: `${name} follows the store again` });
    const isFresh = async (): Promise<boolean> => (await farm.reports()).every(({ staleSince }) => staleSince === undefined);
    await until(isFresh, { what: "no node is stale any longer", deadlineMs: 40_000 });
  });
});

describe("a node whose disk is full", () => {
  let farm: TestFarm;
  const inNamespace = (data: string): readonly string[] => {
    const mount = 'mkdir -p "$0" && mount -t tmpfs -o size=4m,mode=700 none "$0" && exec "$@"';
    return ["unshare", "--map-root-user", "--mount", "sh", "-c", mount, data];
  };
  beforeAll(async () => {
    farm = await startTestFarm({ nodes: 1, balancer: false, nodeWrapper: inNamespace, certificates: DEFAULT_CERTIFICATES });
  });
  afterAll(async () => farm?.stop());

  it("goes on serving what it has and new certificates, says what it cannot keep, and recovers", async () => {
    const [node] = farm.nodes;
    if (node === undefined) throw new Error("there is no node");
    // The node's own view of its disk: its mount is not seen from outside.
    const hog = join(`/proc/${farm.process("web1").pid}/root`, farm.root, "data", "web1", "hog");
    await expect(writeFile(hog, Buffer.alloc(8_000_000))).rejects.toThrow("ENOSPC");
    await farm.putFile("content/shop/more.txt", "x".repeat(200_000));
    await farm.putCertificate({ file: "late.localhost.pfx", names: ["late.localhost"] });
    const late = { port: node.https, servername: "late.localhost", ca: farm.authority.certificatePem };
    await until(async () => (await handshake(late)).kind === "served", { what: "a certificate that cannot be kept is served" });
    const tellsOfIt = async (): Promise<boolean> => {
      const [report] = await farm.reports();
      return report?.content.some(({ folder, problem }) => folder === "shop" && problem !== undefined) === true;
    };
    await until(tellsOfIt, { what: "the report tells of content that cannot be kept" });
    expect(await page(farm, node)).toContain("<h1>shop</h1>");
    expect(farm.process("web1").running).toBe(true);
    await rm(hog);
    await until(async () => (await page(farm, node, "/more.txt")).length === 200_000, {
      what: "the content comes once there is room",
      deadlineMs: 60_000,
    });
  });
});
