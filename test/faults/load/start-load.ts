import type { ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";

import type { Network } from "../network.ts";
import type { LoadPlan, RequestRecord } from "./types.ts";

/** Clients at work. */
export interface Load {
  readonly records: readonly RequestRecord[];
  /** Resolves when this many requests more have ended. */
  requests(count: number): Promise<void>;
  /** Every client goes to its first balancer again, whatever failed before. */
  anew(): void;
  stop(): void;
}

/** Milliseconds of the clock that all processes of the machine share. */
export const machineMs = (): number => Number(process.hrtime.bigint() / 1000n) / 1000;

/** Starts the clients on their host. */
export function startLoad(network: Network, script: string, plan: LoadPlan): Load {
  const child: ChildProcess = network.spawn("client", [process.execPath, script, JSON.stringify(plan)], {
    stdio: ["pipe", "pipe", "pipe"],
  });
  const records: RequestRecord[] = [];
  const waiting = new Set<() => void>();
  let failure: Error | undefined;
  child.stderr?.setEncoding("utf8").on("data", (text: string) => process.stderr.write(text));
  child.once("exit", (code) => {
    failure = new Error(`the clients ended with ${code}`);
    for (const look of waiting) look();
  });
  if (child.stdout !== null) {
    createInterface({ input: child.stdout }).on("line", (line) => {
      records.push(JSON.parse(line) as RequestRecord); // load-child.ts writes nothing else
      for (const look of waiting) look();
    });
  }
  return {
    records,
    requests: (count) =>
      new Promise((resolve, reject) => {
        const enough = records.length + count;
        const look = (): void => {
          if (failure === undefined && records.length < enough) return;
          waiting.delete(look);
          if (failure === undefined) resolve();
          else reject(failure);
        };
        waiting.add(look);
        look();
      }),
    anew: () => void child.stdin?.write("anew\n"),
    stop: () => void child.kill("SIGKILL"),
  };
}
