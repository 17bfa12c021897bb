import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { transformFile } from "@swc/core";
import { stringify } from "yaml";

import { demoPage } from "../../src/app/demo/demo-page.ts";
import type { Authority } from "../../src/pki/index.ts";
import { createTestAuthority } from "../farm/certificates.ts";
import { until } from "../farm/until.ts";
import { startLoad, type Load } from "./load/start-load.ts";
import type { ClientKind, LoadPlan } from "./load/types.ts";
import { addressOf, BALANCER_HOSTS, createNetwork, ETCD_HOSTS, NODE_HOSTS, type Heal, type Host, type Network } from "./network.ts";
import { createPart, type Part } from "./part.ts";
import { openFaultStore, type FaultStore } from "./fault-store.ts";
import { startRelay, type Relay } from "./relay.ts";
import { whatIsNotProved, type Wanted } from "./proved.ts";

/** Host names that clients ask for; the certificate of the last one is replaced all the time. */
export const SITES = ["www.farm.test", "shop.farm.test", "api.farm.test", "renewed.farm.test"] as const;
export const RENEWED = SITES[3];

const ROOT = "/mnt";
const SOURCE = fileURLToPath(new URL("../..", import.meta.url));
const MARKER = "certfarm faults";
const START_MS = 60_000;
const HEALTH_PORT = 8081;
const BALANCER_HEALTH_PORT = 8082;
/** What slow lines lead to. */
const SLOW_DOORS = [
  { host: "web1", port: 443 },
  { host: "web1", port: HEALTH_PORT },
  ...ETCD_HOSTS.map((host) => ({ host, port: 2379 })),
] as const;
/** Room on each disk that a fault fills. */
const DISK = { etcd: "256m", web: "64m" };

/** 6 clients through each balancer. */
const CLIENTS: readonly ClientKind[] = [
  "tls13",
  "tls13",
  "tls12",
  "tls12",
  "keep-alive",
  "keep-alive",
  "tls13",
  "tls13",
  "tls12",
  "tls12",
  "curl",
  "curl",
];

/** An answer of a health port. */
interface HealthView {
  readonly status: number;
  readonly body: Record<string, unknown>;
  /** The time of day on that host, to the second. */
  readonly clockMs: number;
}

/** A farm of nine machines, and its clients' one. */
export interface FaultFarm {
  readonly network: Network;
  readonly authority: Authority;
  readonly store: FaultStore;
  readonly load: Load;
  part(host: Host): Part;
  parts(hosts: readonly Host[]): readonly Part[];
  /** Directory of a host's own disk. */
  disk(host: Host): string;
  /** The etcd member that leads, and one that follows. */
  etcdByRole(): Promise<{ readonly leader: Host; readonly follower: Host }>;
  /** Moves the clock of a node by so many seconds. */
  skew(host: Host, seconds: number): void;
  /** Makes what a host dials at these ports of another slow, for connections made from then on. */
  slow(...line: Parameters<Relay["slow"]>): Heal;
  /** Which build parts run from their next start on. */
  useBuild(build: "first" | "second"): void;
  /** Undefined when everything is proved, else what is not. */
  notProved(): Promise<string | undefined>;
  /** GET to a node's or balancer's health port, seen from the tests' machine. */
  health(host: Host, path: string): Promise<HealthView>;
  /** How long every log is now. */
  marks(): ReadonlyMap<Host, number>;
  /** What nodes and balancers have logged since then. */
  saidSince(marks: ReadonlyMap<Host, number>): string;
  /** How many clients there are. */
  readonly clients: number;
  stop(): Promise<void>;
}

/** Starts the farm, waits until everything is proved, and lets the clients begin. */
export async function startFaultFarm(): Promise<FaultFarm> {
  const network = createNetwork();
  const parts = new Map<Host, Part>();
  let build = "first";
  mountDisks();
  installBuilds();
  const add = (host: Host, how: Parameters<typeof createPart>[2]): void => void parts.set(host, createPart(network, host, how));
  for (const host of ETCD_HOSTS)
    add(host, () => ({ command: ["etcd", ...etcdArguments(host)], env: { GOMAXPROCS: "1" }, endsWith: "SIGTERM" }));
  for (const host of ETCD_HOSTS) parts.get(host)?.start();
  const authority = await createTestAuthority();
  writeFileSync(join(ROOT, "ca.pem"), authority.certificatePem);
  const store = await openFaultStore({ root: ROOT, authority });
  for (const site of SITES) await store.issue(site);
  fillContent(store.contentFolder);
  await store.saveFarmFile(farmFile());
  const main = (): string => join(ROOT, build, "dist/bin/main.js");
  for (const host of NODE_HOSTS) {
    const args = ["node", "--name", host, ...store.options, ...store.keyOptions, "--data", join(ROOT, host)];
    add(host, () => ({ command: [process.execPath, main(), ...args], env: clockEnvironment(host) }));
  }
  for (const host of BALANCER_HOSTS) {
    const args = ["balancer", "--name", host, ...store.options, "--data", join(ROOT, host)];
    add(host, () => ({ command: [process.execPath, main(), ...args] }));
  }
  const part = (host: Host): Part => {
    const found = parts.get(host);
    if (found === undefined) throw new Error(`nothing runs on ${host}`);
    return found;
  };
  for (const host of [...NODE_HOSTS, ...BALANCER_HOSTS]) part(host).start();
  let underLoad = false;
  const relay = await startRelay(network, await compileChild("relay-child.ts"), SLOW_DOORS);
  const wanted = (): Wanted => ({ sites: SITES, authority, newest: (site) => store.newest(site), health, members: parts, underLoad });
  const notProved = (): Promise<string | undefined> => whatIsNotProved(wanted());
  const stop = async (): Promise<void> => {
    load.stop();
    relay.stop();
    await store.close();
    await Promise.all([...parts.values()].map((one) => one.kill()));
  };
  const proved = async (): Promise<true> => {
    const problem = await notProved();
    if (problem !== undefined) throw new Error(problem);
    return true;
  };
  let load: Load;
  try {
    await until(proved, { what: "everything is proved", deadlineMs: START_MS });
    load = startLoad(network, await compileChild("load/load-child.ts"), loadPlan());
    underLoad = true;
    await until(proved, { what: "everything is proved under load", deadlineMs: START_MS });
  } catch (error) {
    const logs = [...parts.values()].map((one) => `--- ${one.host}\n${one.log().slice(-2500)}`);
    throw new Error(`the farm does not start: ${String(error)}\n${logs.join("\n")}`, { cause: error });
  }
  return {
    network,
    authority,
    store,
    load,
    part,
    parts: (hosts) => hosts.map(part),
    disk: (host) => join(ROOT, host),
    etcdByRole,
    skew: (host, seconds) => writeFileSync(clockFile(host), `${seconds >= 0 ? "+" : ""}${seconds}\n`),
    slow: (from, to, ports) => relay.slow(from, to, ports),
    useBuild(which) {
      build = which;
    },
    notProved,
    health,
    marks: () => new Map([...parts].map(([host, one]) => [host, one.logged])),
    saidSince: (marks) =>
      [...NODE_HOSTS, ...BALANCER_HOSTS]
        .map(
          (host) =>
            `--- ${host}\n${part(host)
              .log()
              .slice(-Math.max(1, part(host).logged - (marks.get(host) ?? 0)))}`,
        )
        .join("\n"),
    clients: CLIENTS.length,
    stop,
  };
}

function mountDisks(): void {
  const mount = (host: Host, size: string): void => {
    mkdirSync(join(ROOT, host));
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${size},mode=0700`, "none", join(ROOT, host)]);
  };
  for (const host of ETCD_HOSTS) mount(host, DISK.etcd);
  for (const host of [...NODE_HOSTS, ...BALANCER_HOSTS]) mount(host, DISK.web);
  for (const host of NODE_HOSTS) writeFileSync(clockFile(host), "+0\n");
}

/** The build under test twice, at different places and with different versions. */
function installBuilds(): void {
  const { version } = JSON.parse(readFileSync(join(SOURCE, "package.json"), "utf8")) as { version: string };
  for (const [name, suffix] of [
    ["first", ""],
    ["second", "-second"],
  ] as const) {
    const target = join(ROOT, name);
    cpSync(join(SOURCE, process.env["CERTFARM_TEST_DIST"] ?? "dist"), join(target, "dist"), { recursive: true });
    symlinkSync(join(SOURCE, "node_modules"), join(target, "node_modules"));
    writeFileSync(join(target, "package.json"), JSON.stringify({ name: "certfarm", version: version + suffix, type: "module" }));
  }
}

function etcdArguments(host: Host): string[] {
  const own = addressOf(host);
  const [client, peer] = [`http://${own}:2379`, `http://${own}:2380`];
  const cluster = ETCD_HOSTS.map((member) => `${member}=http://${addressOf(member)}:2380`).join(",");
  const words = ["--name", host, "--data-dir", join(ROOT, host, "data"), "--listen-client-urls", client, "--advertise-client-urls", client];
  words.push("--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer, "--initial-cluster", cluster);
  return [...words, "--logger", "zap", "--log-level", "warn", "--max-txn-ops", "5000"];
}

/** Every node runs under a clock that a file can move; intervals are measured by the machine's monotonic clock, which no fault moves. */
function clockEnvironment(host: Host): Record<string, string> {
  const library = ["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu"]
    .map((dir) => `${dir}/faketime/libfaketime.so.1`)
    .find(existsSync);
  if (library === undefined) throw new Error("libfaketime is missing");
  return { LD_PRELOAD: library, FAKETIME_TIMESTAMP_FILE: clockFile(host), FAKETIME_CACHE_DURATION: "1", FAKETIME_DONT_FAKE_MONOTONIC: "1" };
}

const clockFile = (host: Host): string => join(ROOT, `clock-${host}`);

function fillContent(folder: string): void {
  for (const site of SITES) {
    mkdirSync(join(folder, site), { recursive: true });
    writeFileSync(join(folder, site, "index.html"), demoPage(`${MARKER} ${site}`, site));
  }
}

function farmFile(): string {
  return stringify({
    farm: "faults",
    nodes: NODE_HOSTS.map((host) => ({ name: host, address: addressOf(host), health: `${addressOf(host)}:${HEALTH_PORT}` })),
    balancer: {
      address: "0.0.0.0",
      health: `0.0.0.0:${BALANCER_HEALTH_PORT}`,
      proxyProtocol: true,
      trustedBy: [...BALANCER_HOSTS, "relay" as const].map(addressOf),
    },
    sites: SITES.map((site) => ({ name: site, bindings: [`https://${site}`], content: site })),
  });
}

function loadPlan(): LoadPlan {
  return {
    balancers: BALANCER_HOSTS.map((name) => ({ name, address: addressOf(name) })),
    port: 443,
    balancerHealthPort: BALANCER_HEALTH_PORT,
    askEveryMs: 500,
    hosts: SITES,
    caFile: join(ROOT, "ca.pem"),
    marker: MARKER,
    clients: CLIENTS,
    thinkMs: 200,
    timeoutMs: 8_000,
    usesOfKept: 25,
    stayAwayMs: 30_000,
  };
}

async function compileChild(file: string): Promise<string> {
  const source = fileURLToPath(new URL(file, import.meta.url));
  const jsc = { parser: { syntax: "typescript" }, target: "es2022" } as const;
  const { code } = await transformFile(source, { swcrc: false, configFile: false, module: { type: "es6" }, jsc });
  const target = join(ROOT, file.replaceAll("/", "-").replace(/\.ts$/, ".mjs"));
  rmSync(target, { force: true });
  writeFileSync(target, code);
  return target;
}

async function health(host: Host, path: string): Promise<HealthView> {
  const isBalancer = (BALANCER_HOSTS as readonly Host[]).includes(host);
  const url = `http://${addressOf(host)}:${isBalancer ? BALANCER_HEALTH_PORT : HEALTH_PORT}${path}`;
  const answer = await fetch(url, { signal: AbortSignal.timeout(2_000) });
  const clockMs = Date.parse(answer.headers.get("date") ?? "");
  return { status: answer.status, clockMs, body: (await answer.json()) as Record<string, unknown> };
}

async function etcdByRole(): Promise<{ leader: Host; follower: Host }> {
  const statuses = await Promise.all(
    ETCD_HOSTS.map(async (host) => {
      const url = `http://${addressOf(host)}:2379/v3/maintenance/status`;
      const answer = await fetch(url, { method: "POST", body: "{}", signal: AbortSignal.timeout(3_000) });
      const status = (await answer.json()) as { leader?: string; header?: { member_id?: string } };
      return { host, leads: status.leader !== undefined && status.leader === status.header?.member_id };
    }),
  );
  const leader = statuses.find(({ leads }) => leads);
  const follower = statuses.find(({ leads }) => !leads);
  if (leader === undefined || follower === undefined) throw new Error("etcd has no leader");
  return { leader: leader.host, follower: follower.host };
}
