import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";

import { compiledEntry } from "../workers/index.ts";
import type { LookJob } from "./look-job.ts";
import type { GivenUp, JobSink } from "./run-job.ts";
import { WireReader, type Numbering, type WireMessage } from "./wire.ts";

/** The compiled thread of this build. */
export const LOOK_WORKER = compiledEntry(import.meta.url, "look-worker");
/** A thread that was told to stop has this long to say what it knows. */
const STOP_MS = 3_000;
/** Room for the facts of many thousand certificates; most objects of a handshake die young. */
const RESOURCES = { maxOldGenerationSizeMb: 512, maxYoungGenerationSizeMb: 16 };

/** Whether the compiled thread is there: from sources, it is when the project was built. */
export const isThere = (entry: URL): boolean => existsSync(fileURLToPath(entry));

/** How a thread ended. */
export interface ThreadEnd {
  readonly givenUp: readonly GivenUp[];
  /** Why it ended before its work was done. */
  readonly problem?: string;
}

/** What a thread is started with, and where its reports go. */
export interface ThreadSettings {
  readonly entry: URL;
  readonly numbering: Numbering;
  readonly sink: JobSink;
  readonly signal: AbortSignal;
}

/** Does a job in a thread of its own. Never rejects: what the thread posted before it failed has reached the sink. */
export function lookInThread(job: LookJob, { entry, numbering, sink, signal }: ThreadSettings): Promise<ThreadEnd> {
  const worker = new Worker(entry, { workerData: job, env: {}, execArgv: [], resourceLimits: RESOURCES });
  const reader = new WireReader(numbering);
  return new Promise((resolve) => {
    let timer: NodeJS.Timeout | undefined;
    const end = (how: ThreadEnd): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", stop);
      void worker.terminate(); // it has said how it ended, or will not
      resolve(how);
    };
    const stop = (): void => {
      worker.postMessage("stop");
      timer = setTimeout(() => end({ givenUp: [], problem: "it did not stop in time" }), STOP_MS);
    };
    signal.addEventListener("abort", stop, { once: true });
    if (signal.aborted) stop();
    worker.on("message", (message: WireMessage) => {
      if (message.kind === "end") return end({ givenUp: message.givenUp });
      if (message.kind === "failed") return end({ givenUp: [], problem: message.message });
      const { report } = message;
      sink.cells(reader.read(report));
      for (const [target, kind, seen] of report.endpoints) sink.endpoint(target, kind, seen);
      sink.progress(report.done, report.total);
    });
    worker.once("error", (error) => end({ givenUp: [], problem: error.message }));
    worker.once("exit", (code) => end({ givenUp: [], problem: `it ended with code ${code}` }));
  });
}
