import { spawn, type ChildProcess } from "node:child_process";
import { EventEmitter, once } from "node:events";
import { readFile, rm } from "node:fs/promises";
import { connect, createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";

import { makeTempRoot } from "./temp-root.ts";

/** One real etcd process. */
export interface EtcdProcess {
  readonly port: number;
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  /** Starts it (again) and waits until it answers at its port. */
  start(): Promise<void>;
  signal(name: NodeJS.Signals): void;
  /** Resolves when all its threads stand still after SIGSTOP, which takes a moment on a busy machine. */
  hasStopped(): Promise<void>;
  /** Resolves at the next line of its log with this text; `--log-level info` among the arguments makes it talk. */
  says(text: string): Promise<void>;
  /** Resolves when it has ended. */
  kill(): Promise<void>;
}

/** A real cluster on loopback. */
export interface EtcdCluster {
  readonly members: readonly EtcdProcess[];
  /** The folder with the data of every member. */
  readonly data: string;
  /** The address for `openEtcdStore`. */
  address(prefix: string): string;
  /** Asks a member over the gateway. */
  call(path: string, body: unknown, member?: EtcdProcess): Promise<Record<string, unknown>>;
  /** The member that leads now. */
  leader(): Promise<EtcdProcess>;
  stop(): Promise<void>;
}

async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, "127.0.0.1"));
  await Promise.all(servers.map((server) => once(server, "listening")));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

/** Starts a cluster; `args` go to every member. `tls` changes the scheme of the clients' side; its files are in `args`. */
export async function startEtcd(
  options: { readonly members?: number; readonly args?: readonly string[]; readonly tls?: boolean } = {},
): Promise<EtcdCluster> {
  const { members: count = 1, args = [], tls = false } = options;
  const root = await makeTempRoot();
  const ports = await freePorts(2 * count);
  const at = (index: number): { name: string; port: number; peer: string } => ({
    name: `m${index}`,
    port: ports[index] ?? 0,
    peer: `http://127.0.0.1:${ports[count + index]}`,
  });
  const initial = Array.from({ length: count }, (_, index) => `${at(index).name}=${at(index).peer}`).join(",");
  const makeMember = (index: number): EtcdProcess => {
    const { name, port, peer } = at(index);
    const url = `${tls ? "https" : "http"}://127.0.0.1:${port}`;
    const words = ["--name", name, "--data-dir", join(root, name), "--listen-client-urls", url, "--advertise-client-urls", url];
    words.push("--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer, "--initial-cluster", initial);
    words.push("--logger", "zap", "--log-level", "fatal", "--max-txn-ops", "5000", ...args);
    return etcdProcess(words, port, url);
  };
  const members = Array.from({ length: count }, (_, index) => makeMember(index));
  await Promise.all(members.map((member) => member.start()));
  const call: EtcdCluster["call"] = async (path, body, member = members[0]) => {
    const signal = AbortSignal.timeout(10_000);
    const response = await fetch(`${member?.url}${path}`, { method: "POST", body: JSON.stringify(body), signal });
    return (await response.json()) as Record<string, unknown>;
  };
  const isLeader = async (member: EtcdProcess): Promise<boolean> => {
    const status = await call("/v3/maintenance/status", {}, member).catch(() => undefined);
    return status !== undefined && status["leader"] === (status["header"] as { member_id?: string } | undefined)?.member_id;
  };
  const leader = async (): Promise<EtcdProcess> => {
    for (;;) for (const member of members) if (await isLeader(member)) return member;
  };
  return {
    members,
    data: root,
    address: (prefix) => `etcd${tls ? "s" : ""}://${members.map(({ port }) => `127.0.0.1:${port}`).join(",")}/${prefix}`,
    call,
    leader,
    async stop() {
      await Promise.all(members.map((member) => member.kill()));
      await rm(root, { recursive: true, force: true });
    },
  };
}

function etcdProcess(words: readonly string[], port: number, url: string): EtcdProcess {
  let child: ChildProcess | undefined;
  const lines = new EventEmitter();
  return {
    port,
    url,
    async start() {
      child = spawn("etcd", words, { stdio: ["ignore", "ignore", "pipe"], env: { PATH: process.env["PATH"], GOMAXPROCS: "1" } });
      if (child.stderr !== null) createInterface({ input: child.stderr }).on("line", (line) => tell(line, lines));
      process.once("exit", () => child?.kill("SIGKILL"));
      while (!(await listens(port))) {
        if (child.exitCode !== null) throw new Error(`etcd ended with ${child.exitCode}`);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    },
    signal(name) {
      child?.kill(name);
    },
    async hasStopped() {
      while (!/^State:\s+T/m.test(await readFile(`/proc/${child?.pid}/status`, "utf8")))
        await new Promise((resolve) => setTimeout(resolve, 5));
    },
    says: (text) =>
      new Promise((resolve) => {
        const listen = (line: string): void => {
          if (!line.includes(text)) return;
          lines.off("line", listen);
          resolve();
        };
        lines.on("line", listen);
      }),
    async kill() {
      if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, "exit");
      child.kill("SIGKILL");
      await ended;
    },
  };
}

/** What ends a member is shown to whoever runs the test; the rest is for those who wait for it. */
function tell(line: string, lines: EventEmitter): void {
  if (!/"level":"(?:debug|info|warn|error)"/.test(line)) process.stderr.write(`${line}\n`);
  lines.emit("line", line);
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => resolve(true)).on("error", () => resolve(false));
    socket.on("connect", () => socket.destroy());
  });
}
