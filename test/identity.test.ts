import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, expect, it } from "vitest";

import { freePorts } from "./farm/free-ports.ts";
import { farmProcess, MAIN, type FarmProcess } from "./farm/processes.ts";
import { run, type RunResult } from "./farm/run.ts";
import { until } from "./farm/until.ts";

/** A farm from nothing to a revoked node, by the command alone: init, admin, token, join, serve, revoke. */
let root: string;
let ports: readonly number[];
const started: FarmProcess[] = [];

const at = (...names: readonly string[]): string => join(root, ...names);

function certfarm(args: readonly string[], input?: string): Promise<RunResult> {
  const env = {
    PATH: process.env["PATH"],
    HOME: root,
    CERTFARM_ADMIN: `http://127.0.0.1:${ports[0]}`,
    CERTFARM_TOKEN_FILE: at("admin", "admin-token"),
  };
  return run(process.execPath, [MAIN, ...args], { cwd: root, env, timeoutMs: 60_000, ...(input === undefined ? {} : { input }) });
}

async function succeed(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await certfarm(args);
  expect([code, stderr.includes("Error")], `certfarm ${args.join(" ")}: ${stderr}`).toEqual([0, false]);
  return stdout;
}

function start(name: string, args: readonly string[]): FarmProcess {
  const one = farmProcess(name, args, { binary: process.execPath, wrapper: [] });
  one.start();
  started.push(one);
  return one;
}

const statusOf = async (): Promise<{ problems: readonly string[]; nodes: readonly { state: string; report?: { identity?: unknown } }[] }> =>
  JSON.parse((await certfarm(["status", "--json"])).stdout) as Awaited<ReturnType<typeof statusOf>>;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "certfarm-identity-"));
  ports = await freePorts(4);
});
afterAll(async () => {
  await Promise.all(started.map((one) => one.end("SIGKILL")));
  await rm(root, { recursive: true, force: true });
});

it("a machine joins with a token, serves with its folder alone, and is refused once it is revoked", async () => {
  const [inside, outside, https, health] = ports;
  const address = `https://127.0.0.1:${outside}`;
  expect(await succeed("init", "admin", "--store", "store")).toContain("the farm has its authority");
  expect(await succeed("init", "admin", "--store", "store")).toContain("nothing was changed");
  const listen = ["--admin-port", String(inside), "--admin-listen", `127.0.0.1:${outside}`];
  const admin = start("admin", ["admin", "--store", at("store"), "--local", at("admin"), ...listen]);
  await until(async () => (await certfarm(["identities", "list"])).code === 0, {
    what: `the admin API: ${admin.log()}`,
    deadlineMs: 60_000,
  });

  const yaml = `farm: demo
nodes:
  - { name: web1, addresses: [127.0.0.1], ports: { 443: ${https} }, health: "127.0.0.1:${health}" }
sites:
  - { name: www, bindings: ["https://www.example.com"], redirect: "https://www.example.org/" }
`;
  await writeFile(at("farm.yaml"), yaml);
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  const names = ["-subj", "/CN=www.example.com", "-addext", "subjectAltName=DNS:www.example.com"];
  await run("openssl", ["req", "-x509", ...curve, "-keyout", "k.pem", "-out", "c.pem", "-days", "30", ...names], { cwd: root });
  await writeFile(at("www.example.com.pem"), (await readFile(at("c.pem"), "utf8")) + (await readFile(at("k.pem"), "utf8")), {
    mode: 0o600,
  });
  await succeed("config", "apply", "farm.yaml");
  await succeed("certs", "add", "www.example.com.pem");

  const token = await succeed("node", "token", "web1", "--ttl", "10m");
  const joined = await certfarm(["node", "join", address, "--token", "-", "--data", "web1"], token);
  expect(joined, joined.stderr).toMatchObject({ code: 0, stdout: expect.stringContaining("certfarm node --data") as string });
  const again = await certfarm(["node", "join", address, "--token", "-", "--data", "thief"], token);
  expect([again.code, again.stderr]).toEqual([3, expect.stringContaining("IDENTITY_TOKEN_USED")]);

  const node = start("web1", ["node", "--data", at("web1")]);
  const curl = ["-s", "--cacert", at("c.pem"), "--resolve", `www.example.com:${https}:127.0.0.1`, "-o", "/dev/null", "-w", "%{http_code}"];
  const serves = async (): Promise<boolean> => (await run("curl", [...curl, `https://www.example.com:${https}/`])).stdout === "308";
  await until(serves, { what: `web1 serves: ${node.log()}`, deadlineMs: 60_000 });
  await until(async () => (await statusOf()).nodes[0]?.report?.identity !== undefined, {
    what: "web1's signed report",
    deadlineMs: 60_000,
  });

  expect(await succeed("node", "revoke", "web1", "--reason", "stolen")).toContain("refused by every process");
  const refused = async (): Promise<boolean> =>
    (await statusOf()).problems.some((problem) => /web1's report is not believed.*revoked/.test(problem));
  await until(refused, { what: "status says that web1 is revoked", deadlineMs: 60_000 });
  expect(await succeed("identities", "list")).toMatch(/^node +web1 +revoked/m);
  expect(await serves()).toBe(true); // what it serves, it goes on serving: who has its keys has them
}, 120_000);
