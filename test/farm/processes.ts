import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/** The compiled command; the environment can name another build. */
export const MAIN = fileURLToPath(new URL(`../../${process.env["CERTFARM_TEST_DIST"] ?? "dist"}/bin/main.js`, import.meta.url));

/** One process of a farm, which can be ended and started again. */
export interface FarmProcess {
  readonly name: string;
  readonly pid: number | undefined;
  readonly running: boolean;
  /** What it has written to standard error, since the first start: its log. */
  log(): string;
  start(): void;
  /** Sends the signal and waits for the end. @returns the exit code, or the signal it died of */
  end(signal?: NodeJS.Signals): Promise<number | NodeJS.Signals>;
}

/** How long a process may take to drain before the test says it hangs. */
const END_MS = 20_000;
const MAX_LOG = 4_000_000;

/** A process that is not started yet. The channel to this process ends it when this process dies. */
export function farmProcess(
  name: string,
  args: readonly string[],
  { binary, wrapper }: { readonly binary: string; readonly wrapper: readonly string[] },
): FarmProcess {
  let child: ChildProcess | undefined;
  let log = "";
  const isRunning = (): boolean => child !== undefined && child.exitCode === null && child.signalCode === null;
  return {
    name,
    get pid() {
      return child?.pid;
    },
    get running() {
      return isRunning();
    },
    log: () => log,
    start() {
      if (isRunning()) throw new Error(`${name} runs already`);
      const [command = binary, ...rest] = [...wrapper, binary, MAIN, ...args];
      child = spawn(command, rest, { stdio: ["ignore", "ignore", "pipe", "ipc"] });
      child.stderr?.setEncoding("utf8").on("data", (text: string) => {
        log = (log + text).slice(-MAX_LOG);
      });
    },
    async end(signal = "SIGTERM") {
      if (child === undefined) throw new Error(`${name} was never started`);
      if (isRunning()) {
        const ended = once(child, "exit", { signal: AbortSignal.timeout(END_MS) });
        child.kill(signal);
        await ended.catch((error: unknown) => {
          child?.kill("SIGKILL");
          throw new Error(`${name} did not end within ${END_MS} ms of ${signal}; its log ends with:\n${log.slice(-4000)}`, {
            cause: error,
          });
        });
      }
      return child.exitCode ?? child.signalCode ?? "SIGKILL";
    },
  };
}
