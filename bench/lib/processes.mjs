/** Processes under measurement: pinned to one processor, their CPU and memory read from /proc. */
import { spawn } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";

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
  for (const pid of pids) for (const thread of threads(pid)) nanoseconds += Number(read(`/proc/${pid}/task/${thread}/schedstat`).split(" ")[0] || 0);
  return nanoseconds / 1e3;
}

/** Resident memory of these processes, in MB. */
export function rssMegabytes(pids) {
  const kilobytes = pids.map((pid) => Number(/^VmRSS:\s+(\d+)/m.exec(read(`/proc/${pid}/status`))?.[1] ?? 0));
  return kilobytes.reduce((sum, one) => sum + one, 0) / 1024;
}

/** Starts a command on one processor. `stop()` ends it and waits. */
export function start(command, args, { cpu = SERVER_CPU, env = {}, quiet = true } = {}) {
  const child = spawn("taskset", ["-c", cpu, command, ...args], { stdio: ["ignore", "ignore", quiet ? "ignore" : "inherit"], env: { ...process.env, ...env } });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  return {
    pid: child.pid,
    pids: () => tree(child.pid),
    async stop() {
      child.kill("SIGTERM");
      const timer = setTimeout(() => child.kill("SIGKILL"), 5_000);
      await ended;
      clearTimeout(timer);
    },
  };
}

/** Runs a command on the client's processor and gives what it prints. */
export function run(command, args, { cpu = CLIENT_CPU } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn("taskset", ["-c", cpu, command, ...args], { stdio: ["ignore", "pipe", "inherit"] });
    let text = "";
    child.stdout.on("data", (chunk) => (text += chunk));
    child.once("error", reject);
    child.once("exit", (code) => (code === 0 ? resolve(text) : reject(new Error(`${command} ended with ${code}: ${text.slice(-500)}`))));
  });
}
