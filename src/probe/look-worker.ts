/** Entry of a thread that dials. */
import { setMaxListeners } from "node:events";
import { parentPort, workerData } from "node:worker_threads";

import { systemClock, toFarmError } from "../base/index.ts";
import type { LookJob } from "./look-job.ts";
import { runJob } from "./run-job.ts";
import { WirePacker, type WireMessage } from "./wire.ts";

const REPORT_EVERY_MS = 200;

const post = (message: WireMessage): void => parentPort?.postMessage(message);

async function work(job: LookJob): Promise<void> {
  const stop = new AbortController();
  setMaxListeners(0, stop.signal);
  // Anything that the other side says means: that is enough.
  parentPort?.once("message", () => stop.abort());
  const packer = new WirePacker();
  const progress = { done: 0, total: 0 };
  const report = (): void => post({ kind: "report", report: packer.take(progress.done, progress.total) });
  const timer = setInterval(report, REPORT_EVERY_MS);
  try {
    const givenUp = await runJob(job, {
      clock: systemClock,
      signal: stop.signal,
      sink: {
        cells: (cells) => cells.forEach((cell) => packer.add(cell)),
        endpoint: (target, kind, observation) => packer.addEndpoint(target, kind, observation),
        progress: (done, total) => Object.assign(progress, { done, total }),
      },
    });
    report();
    post({ kind: "end", givenUp });
  } catch (thrown) {
    report();
    post({ kind: "failed", message: toFarmError(thrown).message });
  } finally {
    clearInterval(timer);
    parentPort?.close();
  }
}

void work(workerData as LookJob); // what look-in-threads.ts starts it with
