import { Worker } from "node:worker_threads";

import { ERRORS, FarmError, type ErrorCode, type Facts } from "../base/index.ts";

/** What a module exports that runOnce can run in a thread. */
export interface OnceModule {
  readonly work: (input: unknown) => unknown;
}

/** What the thread is sent. */
export interface OnceJob {
  readonly entry: string;
  readonly input: unknown;
}

/** What the thread posts for a job: its answer, or the error it ended with. */
export type OnceAnswer =
  | { readonly kind: "done"; readonly value: unknown }
  | { readonly kind: "failed"; readonly code: string; readonly message: string; readonly facts: Facts };

/** A worker that hangs is ended after this long. */
const DEADLINE_MS = 60_000;
/** Node 20 runs no TypeScript: from sources, the compiled worker in dist/ is used. */
export function compiledEntry(here: string, name: string): URL {
  const room = /\/src\/([^/]+)\/[^/]+\.ts$/.exec(here)?.[1];
  return room === undefined ? new URL(`./${name}.js`, here) : new URL(`../../dist/${room}/${name}.js`, here);
}

const ENTRY = compiledEntry(import.meta.url, "once-worker");

/** A thread, and what becomes of its present job. */
interface Thread {
  readonly worker: Worker;
  job: { readonly answered: (answer: OnceAnswer) => void; readonly failed: (error: FarmError) => void } | undefined;
}

let idle: { readonly thread: Thread; readonly end: NodeJS.Timeout } | undefined;

/**
 * Runs one piece of work in a thread, which gives its memory back soon after: for work that is rare, slow or brings a large library, and
 * must not hold up handshakes. `entry` is a module that exports `work` (OnceModule); `input` and the answer are structured-cloned; secrets
 * may pass. `keepMs`: the thread waits so long for more work, which finds its libraries loaded.
 * @throws the worker's FarmError; CANCELLED when it hangs, INTERNAL when it dies
 */
export function runOnce(entry: URL, input: unknown, keepMs = 0): Promise<unknown> {
  const thread = takeIdle() ?? startThread();
  return new Promise((resolve, reject) => {
    const failed = (error: FarmError): void => {
      clearTimeout(timer);
      thread.job = undefined;
      void thread.worker.terminate(); // its outcome is settled already
      reject(error);
    };
    const timer = setTimeout(() => failed(new FarmError("CANCELLED", `a worker did not end within ${DEADLINE_MS} ms`)), DEADLINE_MS);
    const answered = (answer: OnceAnswer): void => {
      clearTimeout(timer);
      thread.job = undefined;
      keep(thread, keepMs);
      if (answer.kind === "done") resolve(answer.value);
      else reject(revive(answer));
    };
    thread.job = { answered, failed };
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread's port has no origin
    thread.worker.postMessage({ entry: entry.href, input } satisfies OnceJob);
  });
}

function startThread(): Thread {
  const thread: Thread = { worker: new Worker(ENTRY, { env: {}, execArgv: [] }), job: undefined };
  thread.worker.on("message", (answer: OnceAnswer) => thread.job?.answered(answer));
  thread.worker.on("error", (cause) => thread.job?.failed(new FarmError("INTERNAL", "a worker failed", { cause })));
  thread.worker.on("exit", (code) => {
    if (idle?.thread === thread) takeIdle();
    thread.job?.failed(new FarmError("INTERNAL", `a worker ended with code ${code}`));
  });
  return thread;
}

function takeIdle(): Thread | undefined {
  const taken = idle;
  idle = undefined;
  clearTimeout(taken?.end);
  taken?.thread.worker.ref();
  return taken?.thread;
}

function keep(thread: Thread, forMs: number): void {
  if (idle !== undefined || forMs === 0) return void thread.worker.terminate();
  thread.worker.unref();
  idle = { thread, end: setTimeout(() => void takeIdle()?.worker.terminate(), forMs).unref() };
}

function revive(answer: Extract<OnceAnswer, { kind: "failed" }>): FarmError {
  const code: ErrorCode = answer.code in ERRORS ? (answer.code as ErrorCode) : "INTERNAL"; // checked on this line
  return new FarmError(code, answer.message, { facts: answer.facts });
}
