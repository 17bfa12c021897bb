import { toFarmError, type Clock, type Log } from "../base/index.ts";
import { parseFileName } from "../pki/index.ts";
import { namesBeyond, type CentralState } from "./central-state.ts";
import { fetchFile, stampOf, type FetchSource } from "./fetch-file.ts";
import type { KeptCopies } from "./keep.ts";
import { leafOf } from "./known-file.ts";
import { createAlarm, pause } from "./pause.ts";
import type { PasswordSource } from "./passwords.ts";
import type { ReadQueue } from "./read-queue.ts";
import type { ReadingPool } from "./reading-pool.ts";
import type { ScanProgress } from "./types.ts";

/** How files that nobody asked for are looked through for names beyond their own. */
export interface ScanSettings {
  /** Start-up is over by then. @default 2,000 */
  readonly startAfterMs?: number;
  /** Share of the time that scanning may take, of one core. @default 0.1 */
  readonly duty?: number;
  /** Files of one pass. @default 20,000 */
  readonly maxFiles?: number;
  /** Pause between passes, in which only files that were touched are looked at. @default 600,000; 6 hours where the folder tells every change */
  readonly everyMs?: number;
}

/** What scanning needs. */
export interface ScanParts {
  readonly state: CentralState;
  readonly source: FetchSource;
  readonly pool: ReadingPool;
  readonly queue: ReadQueue;
  readonly passwords: PasswordSource;
  readonly keep: KeptCopies | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

const EVERY_MS = 600_000;
const TOLD_EVERY_MS = 21_600_000;
const MAX_TOUCHED = 5_000;
/** Sleeps are taken in pieces of at least so long: timers are not finer. */
const LEAST_SLEEP_MS = 20;
/** How often a scan looks whether the store has come back. */
const STALE_PAUSE_MS = 1_000;
const SAVE_EVERY_MS = 60_000;

/**
 * Learns in the background which hosts certificates cover that their file names do not promise.
 * Its cost is bounded by `duty` and `maxFiles`, whatever the stock.
 */
export class Scanner {
  readonly #parts: ScanParts;
  readonly #settings: Required<ScanSettings>;
  readonly #alarm = createAlarm();
  #state: ScanProgress["state"] = "waiting";
  #touched = new Set<string>();
  #unsaved = false;
  #savedAt = 0;
  #debtMs = 0;

  constructor(parts: ScanParts, settings: ScanSettings = {}) {
    this.#parts = parts;
    const everyMs = parts.source.folder.tellsAll === true ? TOLD_EVERY_MS : EVERY_MS;
    this.#settings = { startAfterMs: 2_000, duty: 0.1, maxFiles: 20_000, everyMs, ...settings };
  }

  get progress(): ScanProgress {
    return { state: this.#state, files: this.#parts.state.covering.files };
  }

  /** Resolves when scanning has ended. */
  async run(signal: AbortSignal): Promise<void> {
    signal.addEventListener("abort", () => this.#alarm.ring(), { once: true });
    await this.#remember();
    await pause(this.#settings.startAfterMs, signal);
    while (!signal.aborted) {
      this.#state = await this.#pass(this.#parts.state.listing.names(), signal);
      this.#save();
      await this.#rest(signal);
    }
  }

  /** The file is looked at soon, if the scan has begun at all. */
  touch(file: string): void {
    if (this.#state === "waiting" || this.#touched.size >= MAX_TOUCHED) return;
    this.#touched.add(file);
    this.#alarm.ring();
  }

  /** Between passes only files that were touched are looked at. */
  async #rest(signal: AbortSignal): Promise<void> {
    const { clock } = this.#parts;
    const end = clock.monotonicMs() + this.#settings.everyMs;
    while (!signal.aborted && (await this.#alarm.wait(Math.max(0, end - clock.monotonicMs())))) {
      const files = this.#touched;
      this.#touched = new Set();
      await this.#pass(files, signal);
      this.#save();
    }
  }

  async #pass(files: Iterable<string>, signal: AbortSignal): Promise<ScanProgress["state"]> {
    const { state, clock, log } = this.#parts;
    const { maxFiles } = this.#settings;
    if (this.#state === "waiting") this.#state = "running";
    let visited = 0;
    for (const file of files) {
      while (!signal.aborted && state.staleSince !== undefined) await pause(STALE_PAUSE_MS, signal);
      if (signal.aborted) return "running";
      if (!state.listing.has(file) || parseFileName(file)?.pattern === undefined) continue;
      if (visited >= maxFiles) {
        log.warn("the scan for names beyond those of the files stopped short", { maxFiles, listed: state.listing.listed });
        return "stopped-short";
      }
      visited += 1;
      await this.#visit(file);
      await this.#payBack(signal);
      if (clock.monotonicMs() - this.#savedAt > SAVE_EVERY_MS) this.#save();
    }
    return "complete";
  }

  /** Looks at one file unless its version is known; what it took is slept off later. */
  async #visit(file: string): Promise<void> {
    const { state, source, clock, log } = this.#parts;
    const began = clock.monotonicMs();
    try {
      const seen = [state.covering.get(file)?.stamp, state.known.peek(file)?.stamp].filter((stamp) => stamp !== undefined);
      const stamp = seen.length === 0 ? "" : await stampOf(source, file);
      if (stamp !== undefined && !seen.includes(stamp)) await this.#learn(file);
    } catch (error) {
      log.debug("a certificate file was passed over by the scan", { file, problem: toFarmError(error).message });
    }
    this.#debtMs += (clock.monotonicMs() - began) * (1 / this.#settings.duty - 1);
  }

  async #learn(file: string): Promise<void> {
    const { state, source, pool, queue, passwords, clock } = this.#parts;
    const fetched = await fetchFile(source, file);
    if (fetched.kind !== "bytes") return;
    const { bytes, keyBytes, stamp } = fetched;
    const input = { bytes, ...(keyBytes === undefined ? {} : { keyBytes }), passwords: passwords.for(file), now: clock.now() };
    const reading = await queue.run("background", () => pool.read(input));
    // A file that was asked for meanwhile is the loader's: it knows the newer version.
    if (!state.listing.has(file) || state.known.peek(file) !== undefined) return;
    this.#unsaved = true;
    const names = namesBeyond(file, leafOf(reading)?.dnsNames ?? []);
    if (state.covering.learn(file, stamp, names)) state.notifyCovering();
  }

  /** Sleeps what is owed, and longer while a handshake waits for a file. */
  async #payBack(signal: AbortSignal): Promise<void> {
    const { clock, queue } = this.#parts;
    while (!signal.aborted && (this.#debtMs >= LEAST_SLEEP_MS || queue.busy > 0)) {
      const began = clock.monotonicMs();
      await pause(Math.max(LEAST_SLEEP_MS, Math.min(this.#debtMs, 60_000)), signal);
      this.#debtMs = Math.max(0, this.#debtMs - (clock.monotonicMs() - began));
    }
  }

  /** What an earlier run of this node learned; each version is compared when the pass comes by. */
  async #remember(): Promise<void> {
    const { state, keep } = this.#parts;
    let hasLearned = false;
    for (const [file, { stamp, names }] of (await keep?.covering()) ?? []) {
      if (!state.listing.has(file) || state.covering.get(file) !== undefined) continue;
      hasLearned = state.covering.learn(file, stamp, names) || hasLearned;
    }
    if (hasLearned) state.notifyCovering();
  }

  #save(): void {
    const { state, keep, clock } = this.#parts;
    this.#savedAt = clock.monotonicMs();
    if (this.#unsaved) keep?.putCovering(state.covering.entries());
    this.#unsaved = false;
  }
}
