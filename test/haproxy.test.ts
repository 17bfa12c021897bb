import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";

import { afterAll, beforeAll, expect, it } from "vitest";

import { createDrains } from "../src/replica/index.ts";
import { DEFAULT_CERTIFICATES, type CertificateSpec } from "./farm/certificates.ts";
import { curlAll } from "./farm/clients/curl.ts";
import { DEFAULT_SITES, type Listens } from "./farm/farm-yaml.ts";
import { freePorts } from "./farm/free-ports.ts";
import { MAIN } from "./farm/processes.ts";
import { run } from "./farm/run.ts";
import { startTestFarm, type TestFarm } from "./farm/start-test-farm.ts";
import { until } from "./farm/until.ts";

/** What `certfarm export haproxy` prints, run by HAProxy in front of real nodes. */
const NODES = ["web1", "web2"];
/** More than are checked one by one. */
const MANY = Array.from({ length: 60 }, (_, index) => `host${index}.apps.localhost`);
const FEW_HOSTS = ["www.shop.localhost", "api.shop.localhost", "one.apps.localhost", "legacy.shop.localhost", "named.localhost"];
const NAMED = { name: "named", bindings: [{ host: "named.localhost", certificate: "named.localhost.pfx" }], content: "named" };
const FEW_SITES = [...DEFAULT_SITES, NAMED];
const SITES = [...FEW_SITES, { name: "many", bindings: MANY.map((host) => `https://${host}`), content: "many" }];

/** A HAProxy that runs a configuration that certfarm exported. */
interface Front extends Listens {
  /** Servers by backend and name: UP, DOWN and so on. */
  servers(): Promise<ReadonlyMap<string, string>>;
  end(): Promise<void>;
}

let farm: TestFarm;
/** Exported of a farm.yaml with few hosts, and of the whole one. */
let few: Front;
let many: Front;

beforeAll(async () => {
  const named: CertificateSpec = { file: "named.localhost.pfx", names: ["named.localhost"] };
  farm = await startTestFarm({
    nodes: NODES.length,
    admin: true,
    sites: SITES,
    certificates: [...DEFAULT_CERTIFICATES, named],
    nodeKeys: { web1: { reconcile: "observe" } },
    limits: { accessLog: "json", nodeHeader: "X-Served-By" },
    balancerKeys: { trustedBy: ["127.0.0.0/8"] },
  });
  few = await startFront("few", FEW_SITES);
  many = await startFront("many", SITES);
});
afterAll(async () => {
  await few?.end();
  await many?.end();
  await farm?.stop();
});

async function startFront(name: string, sites: typeof SITES): Promise<Front> {
  const [https = 0, http = 0, health = 0] = await freePorts(3);
  const yaml = join(farm.root, `${name}.yaml`);
  const file = join(farm.root, `${name}.cfg`);
  const socket = join(farm.root, `${name}.sock`);
  await writeFile(yaml, farm.yaml({ sites, balancer: { name, https, http, health } }));
  const exported = await run(process.execPath, [MAIN, "export", "haproxy", "--file", yaml]);
  expect(exported).toMatchObject({ code: 0, stderr: "" });
  await writeFile(file, `global\n  stats socket ${socket} mode 600\n${exported.stdout}`);
  const child = spawn("haproxy", ["-db", "-f", file], { stdio: "ignore" });
  const ended = once(child, "exit");
  const ask = async (line: string): Promise<string> => {
    const connection = connect(socket);
    connection.end(`${line}\n`);
    return text(connection);
  };
  await until(async () => (await ask("show info")).includes("Pid:"), { what: `HAProxy runs ${name}` });
  return {
    name,
    https,
    http,
    health,
    async servers() {
      const [titles = "", ...rows] = (await ask("show stat")).trim().split("\n");
      const status = titles.split(",").indexOf("status");
      return new Map(rows.map((row) => row.split(",")).map((cells) => [`${cells[0]}/${cells[1]}`, cells[status] ?? ""]));
    },
    async end() {
      child.kill();
      await ended;
    },
  };
}

/** Node names that answered, in order; throws when a client met any failure, also a certificate that does not fit. */
async function ask(front: Front, hosts: readonly string[], times: number, address = "127.0.0.1"): Promise<readonly string[]> {
  // One connection for each request: what is asked is where connections go.
  const urls = Array.from({ length: times }, () => hosts.map((host) => `https://${host}:${front.https}/`)).flat();
  const options = ["--http1.1", "--interface", address, "--header", "Connection: close"];
  const answers = await curlAll({ urls, caFile: farm.caFile, options });
  for (const answer of answers) expect(answer).toMatchObject({ error: undefined, status: 200, verified: true });
  return answers.map(({ headers }) => headers.get("x-served-by") ?? "");
}

/** Until HAProxy has these servers of web1 in this state, and no others of web1. */
async function untilOut(front: Front, backends: (name: string) => boolean): Promise<void> {
  await until(
    async () => {
      const servers = [...(await front.servers())].filter(([name]) => name.endsWith("/web1"));
      return servers.length > 0 && servers.every(([name, state]) => state === (backends(name.slice(0, -"/web1".length)) ? "DOWN" : "UP"));
    },
    { what: `${front.name} has seen it`, deadlineMs: 15_000 },
  );
}

/** Changes web1's real binding table. */
async function table(...args: readonly string[]): Promise<void> {
  expect(await farm.cli(["bindings", ...args, "--node", "web1"])).toMatchObject({ code: 0, stderr: "" });
}
const put = (host: string): Promise<void> => table("add", `host:${host}:443`, "--file", "legacy.shop.localhost.pfx");
const nowhere = (): boolean => false;

it("sends each host to every node while all prove it, and plain HTTP as well", async () => {
  await untilOut(few, nowhere);
  await untilOut(many, nowhere);
  for (const host of FEW_HOSTS) expect(new Set(await ask(few, [host], 12)), host).toEqual(new Set(NODES));
  expect(new Set(await ask(many, MANY, 1))).toEqual(new Set(NODES));
  const [answer] = await curlAll({ urls: [`http://www.shop.localhost:${few.http}/`], caFile: farm.caFile });
  expect(answer).toMatchObject({ error: undefined, status: 301 });
});

it("tells nodes who the client is, by PROXY protocol version 2", async () => {
  await ask(few, ["api.shop.localhost"], 1, "127.0.0.77");
  const logs = async (): Promise<string> => {
    const folders = NODES.map((name) => join(farm.root, "data", name, "logs"));
    const files = (await Promise.all(folders.map(async (folder) => (await readdir(folder)).map((file) => join(folder, file))))).flat();
    return (await Promise.all(files.map((file) => readFile(file, "utf8")))).join("");
  };
  await until(async () => (await logs()).includes("127.0.0.77"), { what: "the access log names the client" });
});

it("keeps a host from the one node that serves it wrongly, and other hosts on it", async () => {
  await put("api.shop.localhost");
  await untilOut(few, (backend) => backend === "https-443-api.shop.localhost");
  expect(new Set(await ask(few, ["api.shop.localhost"], 20))).toEqual(new Set(["web2"]));
  for (const host of FEW_HOSTS.filter((each) => each !== "api.shop.localhost"))
    expect(new Set(await ask(few, [host], 12)), host).toEqual(new Set(NODES));
  await table("delete", "host:api.shop.localhost:443");
  await untilOut(few, nowhere);
});

it("keeps the host's group from the node when there are too many hosts for one check each", async () => {
  const [broken = "", ...others] = MANY;
  // The test before this one waited for the other front alone: what it broke may still be out here.
  await untilOut(many, nowhere);
  await put(broken);
  await until(async () => [...(await many.servers())].some(([name, state]) => name.endsWith("/web1") && state === "DOWN"), {
    what: "one group is out",
  });
  const out = [...(await many.servers())].filter(([name, state]) => name.endsWith("/web1") && state === "DOWN");
  expect(out).toHaveLength(1);
  expect(new Set(await ask(many, [broken], 20))).toEqual(new Set(["web2"]));
  expect(new Set(await ask(many, others, 1))).toEqual(new Set(NODES));
  await table("delete", `host:${broken}:443`);
  await untilOut(many, nowhere);
});

it("keeps all central hosts from a node that lost its central row, and leaves it those with a row of their own", async () => {
  await table("delete", "central:443");
  const hasOwnRow = (backend: string): boolean => ["http-80", "https-443", "https-443-named.localhost"].includes(backend);
  await untilOut(few, (backend) => !hasOwnRow(backend));
  const central = FEW_HOSTS.filter((host) => host !== "named.localhost");
  expect(new Set(await ask(few, central, 6))).toEqual(new Set(["web2"]));
  expect(new Set(await ask(few, ["named.localhost"], 12))).toEqual(new Set(NODES));
  await table("add", "central:443");
  await untilOut(few, nowhere);
});

it("gives a drained node no new connection, and a host that nobody proves to whoever is ready", async () => {
  await createDrains(farm.storeHandle).set("web1", "test");
  await untilOut(few, () => true);
  expect(new Set(await ask(few, FEW_HOSTS, 6))).toEqual(new Set(["web2"]));
  // web2 refuses the name itself, with an alert: the connection was not turned away here.
  const [refused] = await curlAll({ urls: [`https://nobody.localhost:${few.https}/`], caFile: farm.caFile });
  expect(refused?.error).toMatch(/unrecognized name/);
});
