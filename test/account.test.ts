import { chmod, lstat, mkdir, mkdtemp, readdir, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { stringify } from "yaml";

import { silentLog, systemClock } from "../src/base/index.ts";
import type { Authority } from "../src/pki/index.ts";
import { createReports, type NodeReport } from "../src/replica/index.ts";
import { openDirectoryStore, type FarmStore } from "../src/store/index.ts";
import { certificateFile, createTestAuthority, PFX_PASSWORD } from "./farm/certificates.ts";
import { curl } from "./farm/clients/curl.ts";
import { farmProcess, type FarmProcess } from "./farm/processes.ts";
import { run } from "./farm/run.ts";
import { until } from "./farm/until.ts";

/** Roles that are started as root and become `nobody`, on real ports below 1024 of loopback addresses of their own. */
const NOBODY = 65_534;
const HOST = "www.shop.localhost";
const [NODE, BALANCER] = [`127.${20 + (process.pid % 200)}.7.1`, `127.${20 + (process.pid % 200)}.7.2`];
/** The tests need root, or sudo without a password. */
const ROOT = process.getuid?.() === 0 ? [] : ["sudo", "-n", "--preserve-env"];

let root: string;
let store: FarmStore;
let authority: Authority;
let caFile: string;
let passwords: string;
const started: FarmProcess[] = [];

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "certfarm-account-"));
  await chmod(root, 0o711);
  [caFile, passwords] = [join(root, "ca.pem"), join(root, "passwords.yaml")];
  authority = await createTestAuthority();
  await writeFile(caFile, authority.certificatePem);
  await writeFile(passwords, `everyFile: ${JSON.stringify(PFX_PASSWORD.reveal())}\n`, { mode: 0o600 });
  store = await openDirectoryStore({ root: join(root, "store"), log: silentLog, clock: systemClock });
  const file = `${HOST}.pfx`;
  await store.folder("certificates").put(file, await certificateFile(authority, { file, names: [HOST] }));
  await store.folder("config").put("farm.yaml", Buffer.from(farmYaml([443, 80])));
  await asRoot("chown", "-R", "nobody:nogroup", join(root, "store"), passwords);
});
afterEach(async () => {
  for (const one of started.splice(0)) if (one.running) await one.end();
});
afterAll(async () => {
  await store?.close();
  await asRoot("rm", "-rf", root);
});

async function asRoot(...command: readonly string[]): Promise<void> {
  const [program = "", ...args] = [...ROOT, ...command];
  expect(await run(program, args)).toMatchObject({ code: 0 });
}

/** A farm of one node and a balancer, on these https (443 and above) and http ports, with health ports that only root may open as well. */
const farmYaml = (ports: readonly number[]): string =>
  stringify({
    farm: "account",
    nodes: [{ name: "web1", address: NODE, health: `${NODE}:82` }],
    balancer: { address: BALANCER, health: `${BALANCER}:82`, trustedBy: ["127.0.0.0/8"] },
    sites: [
      {
        name: "www",
        bindings: ports.map((port) => `${port >= 443 ? "https" : "http"}://${HOST}:${port}`),
        redirect: "https://example.com/",
      },
    ],
  });

interface Start {
  readonly role?: "node" | "balancer";
  /** Of the data folder. */
  readonly name: string;
  readonly user?: string;
  readonly wrapper?: readonly string[];
}

const data = (name: string): string => join(root, "data", name);

function start({ role = "node", name, user, wrapper = [] }: Start): FarmProcess {
  const identity = role === "node" ? ["--name", "web1", "--passwords", passwords] : [];
  const args = [role, ...identity, "--store", join(root, "store"), "--data", data(name), ...(user === undefined ? [] : ["--user", user])];
  const process_ = farmProcess(name, args, { binary: process.execPath, wrapper: [...ROOT, ...wrapper] });
  process_.start();
  started.push(process_);
  return process_;
}

const ask = (address: string, port = 443) => curl({ url: `https://${HOST}:${port}/`, address, caFile });

/** Until it answers there; its log when it does not. */
async function served(one: FarmProcess, address: string, port = 443): Promise<void> {
  await until(
    async () => {
      if (!one.running) throw new Error("it ended");
      const { error, status, verified } = await ask(address, port);
      return error === undefined && status > 300 && status < 400 && verified ? true : Promise.reject(new Error(error));
    },
    { what: `${one.name} serves`, deadlineMs: 40_000 },
  ).catch((error: unknown) => expect.fail(`${String(error)}\n${one.log()}`));
}

/** What the kernel says of a process. */
async function kernel(one: FarmProcess, file: "status" | "limits"): Promise<ReadonlyMap<string, string>> {
  const text = await readFile(`/proc/${one.pid}/${file}`, "utf8");
  return new Map(text.split("\n").map((line) => [line.split(/:?\s{2,}|:\t/)[0] ?? "", line.replace(/^[^:]*?(:\t|\s{2,})/, "").trim()]));
}

async function report(where: (one: NodeReport) => boolean): Promise<NodeReport> {
  const reports = createReports(store, { clock: systemClock });
  const { value } = await until(async () => (await reports.all()).map((aged) => aged.report).find(where), {
    what: "the report says so",
    deadlineMs: 40_000,
  });
  return value;
}

it("a node binds its ports as root and serves as nobody, with nothing left of root", async () => {
  const node = start({ name: "web1", user: "nobody" });
  await served(node, NODE);
  const status = await kernel(node, "status");
  expect(status.get("Uid")).toBe(`${NOBODY}\t${NOBODY}\t${NOBODY}\t${NOBODY}`);
  expect(status.get("Gid")).toBe(`${NOBODY}\t${NOBODY}\t${NOBODY}\t${NOBODY}`);
  expect(status.get("Groups")?.split(" ").filter(Boolean)).toEqual([String(NOBODY)]);
  expect(status.get("CapEff")).toBe("0000000000000000");
  expect(status.get("CapPrm")).toBe("0000000000000000");
  expect(status.get("Umask")).toBe("0077");
  expect((await kernel(node, "limits")).get("Max core file size")).toMatch(/^0 /);
  expect((await fetch(`http://${NODE}:82/readyz`)).status).toBe(200);
  expect(node.log()).toMatch(/"message":"root is given up","node":"web1","account":"nobody","uid":65534,"gid":65534,"bound":3/);

  const files = await readdir(data("web1"), { recursive: true });
  expect(files.length).toBeGreaterThan(3);
  for (const file of ["", ...files]) {
    const { uid, mode } = await lstat(join(data("web1"), file));
    expect([file, uid, mode & 0o007]).toEqual([file, NOBODY, 0]);
  }
  // Node's own handler would start the debugger.
  await asRoot("kill", "-USR1", String(node.pid));
  await served(node, NODE);
  expect(node.log()).not.toContain("Debugger");
});

it("a port that comes later and needs root is told with its remedy, others are opened, and a restart brings it", async () => {
  const node = start({ name: "web1", user: "nobody:nogroup" });
  await served(node, NODE);
  await store.folder("config").put("farm.yaml", Buffer.from(farmYaml([443, 80, 81, 8443])));
  const seen = await report(({ listeners }) => listeners.some(({ problem }) => problem !== undefined));
  expect(seen.listeners.filter(({ problem }) => problem !== undefined)).toEqual([
    expect.objectContaining({
      port: 81,
      code: "PORT_DENIED",
      problem: expect.stringMatching(
        /^account 65534 may not open port 81 \(PORT_DENIED\): restart the node .*--user.*CAP_NET_BIND_SERVICE/,
      ) as string,
    }),
  ]);
  await served(node, NODE, 8443);
  expect(await (await fetch(`http://${NODE}:82/readyz`)).json()).toMatchObject({ ready: false, reasons: ["a listener is not open"] });
  expect(await node.end()).toBe(0);
  node.start();
  await served(node, NODE, 8443);
  await report(
    ({ pid, listeners }) => pid === node.pid && listeners.length === 4 && listeners.every(({ problem }) => problem === undefined),
  );
});

it("a balancer does the same", async () => {
  const node = start({ name: "web1", user: "nobody" });
  const balancer = start({ role: "balancer", name: "balancer", user: "nobody" });
  await served(node, NODE);
  await served(balancer, BALANCER);
  expect((await kernel(balancer, "status")).get("Uid")).toBe(`${NOBODY}\t${NOBODY}\t${NOBODY}\t${NOBODY}`);
  const isReady = async (): Promise<boolean> => (await fetch(`http://${BALANCER}:82/readyz`)).status === 200;
  await until(isReady, { what: "its health port says so" });
});

it("an account with CAP_NET_BIND_SERVICE needs no root", async () => {
  await mkdir(join(root, "data"), { recursive: true });
  await asRoot("install", "-d", "-o", "nobody", "-g", "nogroup", "-m", "700", data("capable"));
  const caps = ["--inh-caps", "+net_bind_service", "--ambient-caps", "+net_bind_service"];
  const node = start({ name: "capable", wrapper: ["setpriv", "--reuid", "nobody", "--regid", "nogroup", "--clear-groups", ...caps] });
  await served(node, NODE);
  expect((await kernel(node, "status")).get("CapEff")).toBe("0000000000000400");
});

it("a process that stays root says so", async () => {
  await asRoot("chown", "root", passwords);
  const node = start({ name: "rooted" });
  await served(node, NODE);
  await asRoot("chown", "nobody", passwords);
  expect(node.log()).toContain("this process is root and stays it");
});

it.each<[string, Start & { readonly prepare?: () => Promise<void> }, RegExp]>([
  ["an account that does not exist", { name: "none", user: "nosuch" }, /no account "nosuch" \(ACCOUNT_UNKNOWN\)/],
  ["a group that does not exist", { name: "none", user: "nobody:nosuch" }, /no group "nosuch" \(ACCOUNT_UNKNOWN\)/],
  [
    "another account, without being root",
    { name: "none", user: "daemon", wrapper: ["setpriv", "--reuid", "nobody", "--regid", "nogroup", "--clear-groups"] },
    /cannot become daemon: only root can change accounts \(ACCOUNT_NOT_TAKEN\)/,
  ],
  [
    "a data folder of somebody else",
    { name: "foreign", user: "nobody", prepare: () => asRoot("install", "-d", "-o", "daemon", data("foreign")) },
    /data\/foreign belongs to uid 1, not to nobody \(DATA_FOLDER_FOREIGN\)/,
  ],
  [
    "a password file that everybody can read",
    { name: "exposed", user: "nobody", prepare: () => asRoot("chmod", "644", passwords) },
    /passwords\.yaml can be read or changed by everybody \(mode 0644\) \(SECRET_FILE_EXPOSED\)\n {2}→ Run `chmod 600/,
  ],
  [
    "a key of its own that its group can read",
    {
      name: "grouped",
      user: "nobody",
      prepare: async () => {
        await asRoot("chmod", "600", passwords);
        await asRoot("install", "-d", "-o", "nobody", join(data("grouped"), "identity"), data("grouped"));
        await asRoot("install", "-o", "nobody", "-m", "640", "/dev/null", join(data("grouped"), "identity", "key.pem"));
      },
    },
    /identity\/key\.pem can be read by its group \(mode 0640\) \(SECRET_FILE_EXPOSED\)/,
  ],
])("a start is refused for %s", async (_, { prepare, ...given }, message) => {
  await prepare?.();
  const one = start(given);
  await until(() => Promise.resolve(!one.running), { what: "the refusal", deadlineMs: 40_000 });
  expect(one.log()).toMatch(message);
  expect(await one.end()).toBeGreaterThan(1);
});
