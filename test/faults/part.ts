import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";

import { until } from "../farm/until.ts";
import type { Host, Network } from "./network.ts";

/** One process of the farm on a host of its own, which can be hurt, ended and started again. */
export interface Part {
  readonly host: Host;
  readonly running: boolean;
  /** What it wrote to standard error since its first start, the last of it. */
  log(): string;
  /** How long it was in all when it was last asked; what was dropped counts. */
  readonly logged: number;
  start(): void;
  /** SIGKILL; resolves when it has ended. */
  kill(): Promise<void>;
  /** SIGSTOP; resolves when all its threads stand still. */
  freeze(): Promise<void>;
  /** SIGCONT. */
  thaw(): void;
  /** SIGTERM; resolves when it has ended. @throws when it does not end well */
  end(): Promise<void>;
}

/** How a part is run; asked anew with every start, so that an upgrade is another answer. */
export interface PartCommand {
  readonly command: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** How it ends when SIGTERM asks it to; etcd puts everything in order and then lets the signal end it. @default 0 */
  readonly endsWith?: number | NodeJS.Signals;
}

const END_MS = 60_000;
const MAX_LOG = 2_000_000;

/** A part that is not started yet. */
export function createPart(network: Network, host: Host, how: () => PartCommand): Part {
  let child: ChildProcess | undefined;
  let command: PartCommand = how();
  let log = "";
  let logged = 0;
  const isRunning = (): boolean => child !== undefined && child.exitCode === null && child.signalCode === null;
  const ended = async (signal: NodeJS.Signals): Promise<void> => {
    if (child === undefined || !isRunning()) return;
    const exit = once(child, "exit", { signal: AbortSignal.timeout(END_MS) });
    child.kill(signal);
    await exit.catch((error: unknown) => {
      throw new Error(`${host} did not end within ${END_MS} ms of ${signal}; its log ends with:\n${log.slice(-3000)}`, { cause: error });
    });
  };
  return {
    host,
    get running() {
      return isRunning();
    },
    get logged() {
      return logged;
    },
    log: () => log,
    start() {
      if (isRunning()) throw new Error(`${host} runs already`);
      command = how();
      child = network.spawn(host, command.command, { env: command.env ?? {}, stdio: ["ignore", "ignore", "pipe"] });
      child.stderr?.setEncoding("utf8").on("data", (text: string) => {
        log = (log + text).slice(-MAX_LOG);
        logged += text.length;
      });
    },
    kill: () => ended("SIGKILL"),
    async freeze() {
      child?.kill("SIGSTOP");
      await until(() => Promise.resolve(stands(child?.pid)), { what: `${host} stands still`, everyMs: 5 });
    },
    thaw: () => void child?.kill("SIGCONT"),
    async end() {
      await ended("SIGTERM");
      const end = child?.exitCode ?? child?.signalCode;
      if (end !== (command.endsWith ?? 0)) throw new Error(`${host} ended with ${end}; its log ends with:\n${log.slice(-3000)}`);
    },
  };
}

const stands = (pid: number | undefined): boolean => /^State:\s+T/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
