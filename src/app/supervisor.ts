import { spawn, type ChildProcess } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

import type { Log } from "../base/index.ts";
import { openLogFile, type LogFile } from "./log-file.ts";

/** A process of the farm. */
export interface ChildSpec {
  readonly name: string;
  /** Arguments of the command, e.g. `node --name web1 …`. */
  readonly args: readonly string[];
}

/** Starts the farm's processes, writes their logs, starts again what dies, and ends them all. */
export interface Supervisor {
  start(spec: ChildSpec): void;
  /** Names that said they serve. */
  readonly ready: ReadonlySet<string>;
  onReady(listener: (name: string) => void): void;
  /** SIGTERM to all, then SIGKILL after `graceMs`. */
  close(graceMs: number): Promise<void>;
}

interface Child {
  readonly spec: ChildSpec;
  process: ChildProcess;
  restartMs: number;
  timer: NodeJS.Timeout | undefined;
}

const MAIN = fileURLToPath(new URL("./main.js", import.meta.url));
/** A node's objects live for one handshake or for long: a young generation of 4 instead of 16 MB saves 25 MB a process. */
const V8_FLAGS = ["--max-semi-space-size=4"];
const FIRST_RESTART_MS = 500;
const LAST_RESTART_MS = 30_000;
/** A process that lived this long starts from the shortest pause again. */
const HEALTHY_MS = 30_000;

/** A supervisor that writes each process's log to `logDir/NAME.log` (and `NAME.log.1`, the part before) and repeats its warnings through `log`. */
export function createSupervisor(logDir: string, log: Log): Supervisor {
  const children = new Map<string, Child>();
  const ready = new Set<string>();
  const listeners: ((name: string) => void)[] = [];
  let closing = false;
  mkdirSync(logDir, { recursive: true });

  const launch = (spec: ChildSpec): ChildProcess => {
    const child = spawn(process.execPath, [...V8_FLAGS, MAIN, ...spec.args], { stdio: ["ignore", "ignore", "pipe", "ipc"] });
    const file = openLogFile(join(logDir, `${spec.name}.log`), (problem) =>
      log.warn("a process's log cannot be written", { process: spec.name, problem }),
    );
    if (child.stderr !== null) {
      const lines = createInterface({ input: child.stderr });
      lines.on("line", (line) => relay(spec.name, line, file, log));
      // After the last line: what a process says while it dies matters most.
      lines.once("close", () => file.end());
    }
    child.on("message", (message) => {
      if (!isReady(message)) return;
      ready.add(spec.name);
      for (const listener of listeners) listener(spec.name);
    });
    const startedMs = performance.now();
    child.on("error", (error) => {
      log.error("a process cannot be started", { process: spec.name, problem: error.message });
      if (child.pid === undefined && !closing) restart(spec.name, "before it began", 0); // there is no 'exit' then
    });
    child.on("exit", (code, signal) => {
      ready.delete(spec.name);
      if (!closing) restart(spec.name, signal ?? `code ${code}`, performance.now() - startedMs);
    });
    return child;
  };

  const restart = (name: string, how: string, livedMs: number): void => {
    const child = children.get(name);
    if (child === undefined) return;
    child.restartMs = livedMs > HEALTHY_MS ? FIRST_RESTART_MS : Math.min(child.restartMs * 2, LAST_RESTART_MS);
    log.warn("a process ended and is started again", { process: name, ended: how, inMs: child.restartMs });
    child.timer = setTimeout(() => {
      child.process = launch(child.spec);
    }, child.restartMs);
  };

  return {
    start(spec) {
      children.set(spec.name, { spec, process: launch(spec), restartMs: FIRST_RESTART_MS / 2, timer: undefined });
    },
    ready,
    onReady: (listener) => listeners.push(listener),
    async close(graceMs) {
      closing = true;
      await Promise.all([...children.values()].map((child) => end(child, graceMs)));
    },
  };
}

function relay(name: string, line: string, file: LogFile, log: Log): void {
  file.write(`${line}\n`);
  if (line.includes('"level":"warn"') || line.includes('"level":"error"') || !line.startsWith("{")) log.warn(line, { process: name });
}

const isReady = (message: unknown): boolean =>
  typeof message === "object" && message !== null && "type" in message && message.type === "ready";

function end(child: Child, graceMs: number): Promise<void> {
  clearTimeout(child.timer);
  const { process: running } = child;
  if (running.pid === undefined || running.exitCode !== null || running.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    const timer = setTimeout(() => running.kill("SIGKILL"), graceMs);
    running.once("exit", () => {
      clearTimeout(timer);
      resolve();
    });
    running.kill("SIGTERM");
  });
}
