import { parentPort, workerData } from "node:worker_threads";

import { toFarmError } from "../base/index.ts";
import type { OnceAnswer } from "./run-once.ts";
import { yieldToServing } from "./yield-to-serving.ts";

/** The worker's side of runOnce: does the work on its input and posts what came of it. */
export function answerOnce(work: (input: unknown) => unknown): void {
  yieldToServing();
  parentPort?.postMessage(attempt(work));
}

function attempt(work: (input: unknown) => unknown): OnceAnswer {
  try {
    return { kind: "done", value: work(workerData) };
  } catch (thrown) {
    const { code, message, facts } = toFarmError(thrown);
    return { kind: "failed", code, message, facts };
  }
}
