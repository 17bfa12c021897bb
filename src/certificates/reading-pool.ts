import { Worker } from "node:worker_threads";

import { FarmError, Secret, type Instant } from "../base/index.ts";
import type { FileReading, ReadLimits } from "../pki/index.ts";
import type { ReadAnswer, ReadRequest, WireReading } from "./wire.ts";

/** How many threads open files, and for how long they stay. */
export interface WorkerSettings {
  /** @default 1 */
  readonly count?: number;
  /** A worker without work for so long is ended and gives its memory back. @default 30,000 */
  readonly idleMs?: number;
  /** A file that takes longer is `too-costly`; its worker is ended. @default 5,000 */
  readonly deadlineMs?: number;
  /** The worker's compiled entry. @default read-worker.js beside this file, or in dist/ when running from sources */
  readonly entry?: URL;
}

/** A file's bytes as the pool takes them. They stay the caller's: a store may have given out a view of its own memory. */
export interface PoolInput {
  readonly bytes: Uint8Array;
  readonly keyBytes?: Uint8Array;
  readonly passwords: readonly Secret[];
  readonly now: Instant;
  readonly limits?: Partial<ReadLimits>;
}

interface Job {
  readonly request: ReadRequest;
  readonly resolve: (reading: FileReading) => void;
  readonly reject: (error: FarmError) => void;
}

interface Thread {
  readonly worker: Worker;
  job: Job | undefined;
  timer: NodeJS.Timeout | undefined;
  /** It runs; one that ended before that is not the file's fault. */
  ready: boolean;
}

const OWN_ENTRY = new URL(
  // Node 20 runs no TypeScript: from sources, the compiled worker is used.
  import.meta.url.endsWith(".ts") ? "../../dist/certificates/read-worker.js" : "./read-worker.js",
  import.meta.url,
);

/** A thread that is not ready by then will not be. Its start does not count against its first file. */
const START_MS = 30_000;

/** A hostile file must not take the node's memory, and a thread's default of 48 MB for young objects is more than all files need. */
const RESOURCES = { maxOldGenerationSizeMb: 96, maxYoungGenerationSizeMb: 4 };

/** Worker threads that open certificate files, started on first need. The caller bounds what it asks for: see ReadQueue. */
export class ReadingPool {
  readonly #count: number;
  readonly #idleMs: number;
  readonly #deadlineMs: number;
  readonly #entry: URL;
  readonly #threads = new Set<Thread>();
  readonly #waiting: Job[] = [];
  #nextId = 1;
  #closed = false;

  constructor(settings: WorkerSettings = {}) {
    this.#count = settings.count ?? 1;
    this.#idleMs = settings.idleMs ?? 30_000;
    this.#deadlineMs = settings.deadlineMs ?? 5_000;
    this.#entry = settings.entry ?? OWN_ENTRY;
  }

  /** How many threads are alive. */
  get alive(): number {
    return this.#threads.size;
  }

  /** Files are opened in the order of the calls. @throws CERTIFICATES_READER_FAILED when no worker can be started, CANCELLED after close */
  read(input: PoolInput): Promise<FileReading> {
    if (this.#closed) return Promise.reject(closedError());
    const { passwords, keyBytes, ...others } = input;
    const request: ReadRequest = {
      ...others,
      id: this.#nextId++,
      bytes: new Uint8Array(input.bytes),
      ...(keyBytes === undefined ? {} : { keyBytes: new Uint8Array(keyBytes) }),
      passwords: passwords.map((password) => password.reveal()),
    };
    return new Promise((resolve, reject) => {
      this.#waiting.push({ request, resolve, reject });
      this.#dispatch();
    });
  }

  /** Ends the threads; what was asked and not answered is rejected. */
  async close(): Promise<void> {
    this.#closed = true;
    const threads = [...this.#threads];
    this.#threads.clear();
    for (const job of this.#waiting.splice(0)) job.reject(closedError());
    for (const thread of threads) thread.job?.reject(closedError());
    await Promise.all(threads.map((thread) => this.#end(thread)));
  }

  #dispatch(): void {
    while (this.#waiting.length > 0) {
      const idle = [...this.#threads].find((thread) => thread.job === undefined);
      const thread = idle ?? (this.#threads.size < this.#count ? this.#start() : undefined);
      const job = thread === undefined ? undefined : this.#waiting.shift();
      if (thread === undefined || job === undefined) return;
      this.#assign(thread, job);
    }
  }

  #start(): Thread {
    const worker = new Worker(this.#entry, { env: {}, execArgv: [], resourceLimits: RESOURCES });
    const thread: Thread = { worker, job: undefined, timer: undefined, ready: false };
    this.#threads.add(thread);
    worker.on("message", (answer: ReadAnswer) => this.#answered(thread, answer));
    worker.on("error", (error: Error) => this.#died(thread, error.message));
    worker.on("exit", (code) => this.#died(thread, `it ended with code ${code}`));
    return thread;
  }

  #assign(thread: Thread, job: Job): void {
    thread.job = job;
    thread.worker.ref();
    this.#limit(thread, thread.ready ? this.#deadlineMs : START_MS);
    const { bytes, keyBytes } = job.request;
    const parts = keyBytes === undefined ? [bytes] : [bytes, keyBytes];
    thread.worker.postMessage(job.request, [...new Set(parts.map((part) => part.buffer as ArrayBuffer))]); // copies of our own: see read()
  }

  #limit(thread: Thread, ms: number): void {
    clearTimeout(thread.timer);
    thread.timer = setTimeout(() => this.#died(thread, `it took more than ${ms} ms`), ms);
  }

  #answered(thread: Thread, answer: ReadAnswer): void {
    if ("ready" in answer) {
      thread.ready = true;
      if (thread.job !== undefined) this.#limit(thread, this.#deadlineMs);
      return;
    }
    const job = thread.job;
    if (job === undefined || job.request.id !== answer.id) return;
    const failed = "failed" in answer;
    job.resolve(failed ? { status: "malformed", problem: `it could not be opened: ${answer.failed}` } : unwire(answer.reading));
    thread.job = undefined;
    clearTimeout(thread.timer);
    thread.timer = setTimeout(() => void this.#end(thread), this.#idleMs).unref();
    thread.worker.unref();
    this.#dispatch();
  }

  /** A thread ended, or must be, with or without a file in hand. The next file gets a new one. */
  #died(thread: Thread, why: string): void {
    const job = thread.job;
    thread.job = undefined;
    void this.#end(thread);
    if (thread.ready) job?.resolve(costly(`the thread that opened it was ended: ${why}`));
    else job?.reject(new FarmError("CERTIFICATES_READER_FAILED", `The thread that opens certificate files does not run: ${why}`));
    this.#dispatch();
  }

  async #end(thread: Thread): Promise<void> {
    clearTimeout(thread.timer);
    this.#threads.delete(thread);
    thread.worker.removeAllListeners();
    thread.worker.on("error", () => {}); // it is being ended: what it still says is of no interest
    await thread.worker.terminate();
  }
}

function closedError(): FarmError {
  return new FarmError("CANCELLED", "The certificate reader was closed");
}

function unwire(reading: WireReading): FileReading {
  const { prepared, ...rest } = reading;
  return prepared === undefined ? rest : { ...rest, prepared: { chainPem: prepared.chainPem, keyPem: new Secret(prepared.keyPem) } };
}

function costly(problem: string): FileReading {
  const remedy = "Export the certificate again with fewer key-derivation iterations and without other contents.";
  return { status: "too-costly", problem, remedy };
}
