/** Processes under measurement: pinned to one processor, their CPU and memory read from /proc. */
import { spawn } from "node:child_process";
import { openSync, readFileSync, readdirSync } from "node:fs";
import { createServer } from "node:net";

export const SERVER_CPU = "0";
export const CLIENT_CPU = "1";

const read = (path) => {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return ""; // the process or thread is gone
  }
};

const threads = (pid) => {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    return [];
  }
};

/** A process and all its descendants. */
export function tree(pid) {
  const children = threads(pid).flatMap((thread) => read(`/proc/${pid}/task/${thread}/children`).split(" ").filter(Boolean));
  return [pid, ...children.flatMap((child) => tree(Number(child)))];
}

/** CPU time used so far by these processes, in microseconds. */
export function cpuMicros(pids) {
  let nanoseconds = 0;
  for (const pid of pids)
    for (const thread of threads(pid)) nanoseconds += Number(read(`/proc/${pid}/task/${thread}/schedstat`).split(" ")[0] || 0);
  return nanoseconds / 1e3;
}

/** Resident memory of these processes, in MB. */
export function rssMegabytes(pids) {
  const kilobytes = pids.map((pid) => Number(/^VmRSS:\s+(\d+)/m.exec(read(`/proc/${pid}/status`))?.[1] ?? 0));
  return kilobytes.reduce((sum, one) => sum + one, 0) / 1024;
}

/** Ports that nobody listens on at the moment. */
export async function freePorts(count) {
  const servers = await Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise((resolve) => {
          const server = createServer().listen(0, "127.0.0.1", () => resolve(server));
        }),
    ),
  );
  const ports = servers.map((server) => server.address().port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

/**
 * Starts a command on one processor (`cpu`; "0,1" = on both), its output in `logFile`. `stop()` ends it and waits; `failure()` says
 * why when it ended by itself.
 */
export function start(command, args, { cpu = SERVER_CPU, env = {}, logFile }) {
  const output = openSync(logFile, "a");
  const child = spawn("taskset", ["-c", cpu, command, ...args], { stdio: ["ignore", output, output], env: { ...process.env, ...env } });
  let stopping = false;
  let failure;
  const ended = new Promise((resolve) =>
    child.once("exit", (code, signal) => {
      if (!stopping) failure = `${command} ended with ${code ?? signal}: ${read(logFile).slice(-2_000)}`;
      resolve();
    }),
  );
  return {
    pid: child.pid,
    pids: () => tree(child.pid),
    failure: () => failure,
    async stop() {
      stopping = true;
      child.kill("SIGTERM");
      const timer = setTimeout(() => child.kill("SIGKILL"), 5_000);
      await ended;
      clearTimeout(timer);
    },
  };
}

/** Runs a command on the client's processor and gives what it prints. `until` asks it to end (SIGTERM). */
export function run(command, args, { cpu = CLIENT_CPU, until } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn("taskset", ["-c", cpu, command, ...args], { stdio: ["ignore", "pipe", "pipe"] });
    until?.addEventListener("abort", () => child.kill("SIGTERM"), { once: true });
    let text = "";
    let errors = "";
    child.stdout.on("data", (chunk) => (text += chunk));
    child.stderr.on("data", (chunk) => (errors += chunk));
    child.once("error", reject);
    child.once("exit", (code) =>
      code === 0 ? resolve(text) : reject(new Error(`${command} ended with ${code}: ${(text + errors).slice(-1_000)}`)),
    );
  });
}

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
