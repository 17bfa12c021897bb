import { access, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { curlAll } from "./farm/clients/curl.ts";
import { opensslClient } from "./farm/clients/openssl.ts";
import { handshake } from "./farm/clients/tls.ts";
import { run } from "./farm/run.ts";
import { startTestFarm, type TestFarm } from "./farm/start-test-farm.ts";
import { until } from "./farm/until.ts";

const CACHE = fileURLToPath(new URL("../.cache", import.meta.url));

/** The program of a Node.js release line, from the npm package that holds it for this platform; kept in .cache/. */
async function nodeBinary(line: number): Promise<string> {
  const name = `node-linux-${process.arch}`;
  const folder = join(CACHE, `node${line}`);
  const binary = join(folder, "node_modules", name, "bin", "node");
  const isThere = await access(binary).then(
    () => true,
    () => false,
  );
  if (isThere) return binary;
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "package.json"), '{ "private": true }\n');
  const options = ["install", "--ignore-scripts", "--no-audit", "--no-fund", "--no-package-lock", "--loglevel", "error"];
  const { code, stderr } = await run("npm", [...options, `${name}@${line}`], { cwd: folder, timeoutMs: 120_000 });
  if (code !== 0) throw new Error(`Node ${line} cannot be installed from npm: ${stderr}`);
  return binary;
}

const HOSTS = ["www.shop.localhost", "api.shop.localhost", "one.apps.localhost", "legacy.shop.localhost"];

describe.each([22, 24])("a farm on Node %i", (line) => {
  let farm: TestFarm;
  beforeAll(async () => {
    farm = await startTestFarm({ nodes: 2, binary: await nodeBinary(line) });
  }, 200_000);
  afterAll(async () => farm?.stop());

  it("really runs on it", async () => {
    for (const { nodeVersion } of await farm.reports()) expect(nodeVersion).toMatch(new RegExp(`^v${line}\\.`));
  });

  it.each([
    ["HTTP/1.1", ["--http1.1"], "1.1"],
    ["HTTP/2", ["--http2"], "2"],
    ["TLS 1.2", ["--tls-max", "1.2"], "2"],
  ])("serves every site everywhere over %s", async (_how, options, httpVersion) => {
    const urls = farm.entrances.flatMap(({ https }) => HOSTS.map((host) => `https://${host}:${https}/`));
    for (const answer of await curlAll({ urls, caFile: farm.caFile, options })) {
      expect(answer).toMatchObject({ error: undefined, status: 200, verified: true, httpVersion });
    }
  });

  it.each([
    ["-tls1_3", "RSA-PSS+SHA256:RSA+SHA256", /^RSA/],
    ["-tls1_2", "RSA+SHA256", /^RSA/],
    ["-tls1_3", "ECDSA+SHA256", /^ECDSA/i],
    ["-tls1_2", "ECDSA+SHA256", /^ECDSA/i],
  ])("offers the pair's certificate that fits %s and %s", async (version, sigalgs, signature) => {
    for (const { https } of farm.nodes) {
      const options = [version, "-sigalgs", sigalgs];
      const answer = await opensslClient({ port: https, serverName: "api.shop.localhost", caFile: farm.caFile, options });
      expect(answer, answer.stderr).toMatchObject({ code: 0, verified: true });
      expect(answer.signature).toMatch(signature);
    }
  });

  it("resumes across nodes, refuses with an alert, and follows a changed certificate", async () => {
    const [one, two] = farm.nodes;
    const session = join(farm.root, "session.pem");
    const client = { serverName: HOSTS[0] ?? "", caFile: farm.caFile };
    await opensslClient({ ...client, port: one?.https ?? 0, options: ["-sess_out", session] });
    expect(await opensslClient({ ...client, port: two?.https ?? 0, options: ["-sess_in", session] })).toMatchObject({ resumed: true });
    for (const { https } of farm.entrances) {
      const refused = await handshake({ port: https, servername: "nobody.example" });
      expect(refused).toEqual({ kind: "failed", error: "ERR_SSL_TLSV1_UNRECOGNIZED_NAME" });
    }
    await farm.putCertificate({ file: "fresh.localhost.pfx", names: ["fresh.localhost"] });
    for (const { https } of farm.nodes) {
      const options = { port: https, servername: "fresh.localhost", ca: farm.authority.certificatePem };
      await until(async () => (await handshake(options)).kind === "served", { what: "the new certificate is served", deadlineMs: 3_000 });
    }
  });
});
