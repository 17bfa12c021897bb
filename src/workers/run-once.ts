import { Worker } from "node:worker_threads";

import { ERRORS, FarmError, type ErrorCode, type Facts } from "../base/index.ts";

/** What a one-shot worker posts, once: its answer, or the error it ended with. */
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

/**
 * Runs one piece of work in a thread of its own, which gives its memory back at the end: for work that is rare, slow or brings a
 * large library, and must not hold up handshakes. `input` and the answer are structured-cloned; secrets may pass.
 * @throws the worker's FarmError; CANCELLED when it hangs, INTERNAL when it dies
 */
export function runOnce(entry: URL, input: unknown): Promise<unknown> {
  const worker = new Worker(entry, { workerData: input, env: {}, execArgv: [] });
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => end(() => reject(new FarmError("CANCELLED", `a worker did not end within ${DEADLINE_MS} ms`))),
      DEADLINE_MS,
    );
    const end = (settle: () => void): void => {
      clearTimeout(timer);
      settle();
      void worker.terminate(); // its outcome is settled already
    };
    worker.once("message", (answer: OnceAnswer) => end(() => (answer.kind === "done" ? resolve(answer.value) : reject(revive(answer)))));
    worker.once("error", (cause) => end(() => reject(new FarmError("INTERNAL", "a worker failed", { cause }))));
    worker.once("exit", (code) => end(() => reject(new FarmError("INTERNAL", `a worker ended with code ${code}`))));
  });
}

function revive(answer: Extract<OnceAnswer, { kind: "failed" }>): FarmError {
  const code: ErrorCode = answer.code in ERRORS ? (answer.code as ErrorCode) : "INTERNAL"; // checked on this line
  return new FarmError(code, answer.message, { facts: answer.facts });
}
