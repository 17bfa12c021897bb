/** The thread of runOnce: imports the module that a job names, calls its `work` with the input, and posts what came of it. */
import { parentPort } from "node:worker_threads";

import { toFarmError } from "../base/index.ts";
import type { OnceAnswer, OnceJob, OnceModule } from "./run-once.ts";
import { yieldToServing } from "./yield-to-serving.ts";

async function attempt({ entry, input }: OnceJob): Promise<OnceAnswer> {
  try {
    const { work } = (await import(entry)) as OnceModule; // what runOnce is given
    return { kind: "done", value: work(input) };
  } catch (thrown) {
    const { code, message, facts } = toFarmError(thrown);
    return { kind: "failed", code, message, facts };
  }
}

yieldToServing();
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread's port has no origin
parentPort?.on("message", (job: OnceJob) => void attempt(job).then((answer) => parentPort?.postMessage(answer)));
