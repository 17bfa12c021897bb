import { toFarmError, type Clock, type Log } from "../base/index.ts";
import type { CentralState } from "./central-state.ts";
import { stampOf, type FetchSource } from "./fetch-file.ts";
import type { KeptCopies } from "./keep.ts";
import type { Loader } from "./loader.ts";
import { Pace } from "./pace.ts";
import type { PasswordSource } from "./passwords.ts";
import { createAlarm, forEachBounded, pause } from "./pause.ts";

/** How changes are noticed. */
export interface FollowSettings {
  /** Files in use are looked at in rotation this often. @default 1,000 */
  readonly pollMs?: number;
  /** How many of them each time. @default 200 */
  readonly filesAPoll?: number;
  /** The whole listing is compared this often even when nothing hinted at a change. @default 30,000 */
  readonly resyncMs?: number;
}

/** What following needs. */
export interface FollowParts {
  readonly state: CentralState;
  readonly loader: Loader;
  readonly source: FetchSource;
  readonly passwords: PasswordSource;
  readonly keep: KeptCopies | undefined;
  readonly clock: Clock;
  readonly log: Log;
  /** A listed file that nobody asked for may have changed. */
  readonly touched: (file: string) => void;
}

/** Where the folder tells every change: files in use are looked at as a safety net only, and so is the listing. */
const TOLD = { pollMs: 60_000, resyncMs: 600_000 };
/** Hints that are taken one by one; more of them mean: compare everything. */
const MAX_HINTS = 2_000;
const STATS_AT_ONCE = 16;
/** Comparing everything may take a fifth of the time while hints without a path keep coming. */
const RESTS = 4;
/** How soon the whole folder is looked at after one file could not be. */
const SUSPECT_POLLS = 3;
const FIRST_HINT_MS = 300;
/** Lets the hints of one copy come together. */
const SETTLE_MS = 15;

/** Keeps the state level with the folder. Hints only say where to look: what is true is always read from the folder. */
export class Follower {
  readonly #parts: FollowParts;
  readonly #pollMs: number;
  readonly #filesAPoll: number;
  readonly #resyncMs: number;
  readonly #alarm = createAlarm();
  #hinted = new Set<string>();
  readonly #relistPace: Pace;
  readonly #recheckPace: Pace;
  #isListed = false;
  /** A file in use could not be looked at: the store may be gone. */
  #isSuspect = false;
  #listening: Promise<void> = Promise.resolve();
  #rotatedAt = Number.NEGATIVE_INFINITY;
  #rotation: Iterator<string> = [][Symbol.iterator]();

  constructor(parts: FollowParts, settings: FollowSettings = {}) {
    this.#parts = parts;
    this.#relistPace = new Pace(parts.clock, RESTS);
    this.#recheckPace = new Pace(parts.clock, RESTS);
    this.#pollMs = settings.pollMs ?? 1_000;
    this.#filesAPoll = settings.filesAPoll ?? 200;
    this.#resyncMs = settings.resyncMs ?? (this.#isTold ? TOLD.resyncMs : 30_000);
  }

  get #isTold(): boolean {
    return this.#parts.source.folder.tellsAll === true;
  }

  /**
   * The first comparison. It comes after the watch's own first look, so that nothing that happens between them is missed and the
   * folder is listed once only; a store that hangs does not hold it up.
   */
  async begin(signal: AbortSignal): Promise<void> {
    signal.addEventListener("abort", () => this.#alarm.ring(), { once: true });
    this.#listening = this.#listen(signal);
    await this.#alarm.wait(FIRST_HINT_MS);
    await this.#relist();
    this.#recheckPace.wanted = false;
  }

  /** Goes on after `begin`; resolves when following has ended. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([this.#listening, this.#rounds(signal)]);
  }

  /** Compares everything as soon as its pace allows. */
  lookSoon(): void {
    this.#lookEverywhere();
    this.#alarm.ring();
  }

  /** Compares the listing now. An unavailable store leaves the state as it is and sets staleSince. */
  async #relist(): Promise<void> {
    this.#isSuspect = false;
    await this.#relistPace.run(() => this.#compareListing());
  }

  async #compareListing(): Promise<void> {
    const { state, source, loader, log } = this.#parts;
    const names = await source.folder.names().catch((error: unknown) => this.#unavailable(error));
    if (names === undefined) return;
    if (state.staleSince !== undefined) {
      log.info("the central certificates can be reached again", { listed: names.length });
      this.#recheckPace.wanted = true;
    }
    state.staleSince = undefined;
    const { added, removed } = await state.listing.replace(names);
    loader.remove(removed);
    // Nobody can know a file of the first listing otherwise than by having looked for it: there is nothing to say of each of them.
    this.#announce(this.#isListed ? added : [], removed);
    if (!this.#isListed) this.#namesKnown(added);
    else await this.#recheck(this.#pairsOf([...added, ...removed]));
  }

  #namesKnown(added: readonly string[]): void {
    const { state, keep, touched } = this.#parts;
    this.#isListed = true;
    keep?.putListing(state.listing.names());
    state.notify({ files: [], listingChanged: true });
    for (const file of added.slice(0, MAX_HINTS)) touched(file);
  }

  #unavailable(error: unknown): undefined {
    const { state, clock, log } = this.#parts;
    if (state.staleSince !== undefined) return;
    state.staleSince = clock.now();
    log.warn("the central certificates cannot be reached; what is known goes on being served", { problem: toFarmError(error).message });
  }

  #announce(added: readonly string[], removed: readonly string[]): void {
    const { state, keep, touched } = this.#parts;
    if (added.length + removed.length === 0) return;
    keep?.putListing(state.listing.names());
    state.notify({ files: [...added, ...removed], listingChanged: true });
    for (const file of added) touched(file);
  }

  /** Files whose `.key` came, went or changed. */
  #pairsOf(files: readonly string[]): readonly string[] {
    return files.filter((file) => /\.key$/i.test(file)).flatMap((file) => this.#parts.state.listing.filesOfKey(file));
  }

  async #recheck(files: Iterable<string>): Promise<void> {
    const { state, loader, source, touched } = this.#parts;
    await forEachBounded(files, STATS_AT_ONCE, async (file) => {
      const known = state.known.peek(file);
      if (known === undefined) return loader.isLoading(file) ? this.#reload(file) : touched(file);
      const stamp = await stampOf(source, file).catch(() => {
        this.#isSuspect = true;
        return known.stamp;
      });
      if (stamp !== known.stamp) await this.#reload(file);
    });
  }

  /** A full queue or an ended thread leaves the file for the next round. */
  async #reload(file: string): Promise<void> {
    const { loader, log } = this.#parts;
    await loader.load(file, "refresh").catch((error: unknown) => {
      log.debug("a certificate file is read later", { file, problem: toFarmError(error).message });
    });
  }

  async #lookAt(paths: ReadonlySet<string>): Promise<void> {
    const { state, loader, source } = this.#parts;
    const added: string[] = [];
    const removed: string[] = [];
    const changed: string[] = [];
    await forEachBounded(paths, STATS_AT_ONCE, async (path) => {
      const stat = await source.folder.stat(path);
      if (stat !== undefined) (state.listing.add(path) ? added : changed).push(path);
      else if (state.listing.delete(path)) removed.push(path);
    });
    loader.remove(removed);
    this.#announce(added, removed);
    await this.#recheck([...changed, ...this.#pairsOf([...added, ...removed, ...changed])]);
  }

  async #takeHints(): Promise<void> {
    const { state } = this.#parts;
    const paths = this.#hinted;
    this.#hinted = new Set();
    if (paths.size > MAX_HINTS) this.#lookEverywhere();
    else if (paths.size > 0) await this.#lookAt(paths).catch(() => this.#lookEverywhere());
    // Files in use first: a large folder takes long to list, and replacing a file changes no name.
    if (this.#recheckPace.waitMs === 0) await this.#recheckPace.run(() => this.#recheck([...state.known.keys()]));
    if (this.#relistPace.waitMs === 0) await this.#relist();
  }

  #lookEverywhere(): void {
    this.#recheckPace.wanted = true;
    this.#relistPace.wanted = true;
  }

  async #poll(): Promise<void> {
    const { state, loader, passwords } = this.#parts;
    if (state.staleSince !== undefined || this.#relistPace.sinceMs >= this.#resyncPauseMs()) await this.#relist();
    if (state.staleSince !== undefined) return;
    if (await passwords.refresh()) {
      const locked = [...state.known.entries()].filter(([, { status }]) => status === "wrong-password");
      await forEachBounded(locked, STATS_AT_ONCE, ([file]) => this.#reload(file));
    }
    if (!this.#isTold || this.#isSuspect || this.#sinceRotationMs() >= TOLD.pollMs) {
      this.#rotatedAt = this.#parts.clock.monotonicMs();
      await this.#recheck(this.#inRotation());
    }
    await forEachBounded(loader.due(), STATS_AT_ONCE, (file) => this.#reload(file));
  }

  #sinceRotationMs(): number {
    return this.#parts.clock.monotonicMs() - this.#rotatedAt;
  }

  /** The safety net may cost a thousandth of the time: hints bring the changes. */
  #resyncPauseMs(): number {
    return this.#isSuspect ? this.#pollMs * SUSPECT_POLLS : Math.max(this.#resyncMs, this.#relistPace.costMs * 1_000);
  }

  #inRotation(): readonly string[] {
    const files: string[] = [];
    while (files.length < this.#filesAPoll) {
      const next = this.#rotation.next();
      if (next.done === true) {
        this.#rotation = [...this.#parts.state.known.keys()][Symbol.iterator]();
        return files;
      }
      files.push(next.value);
    }
    return files;
  }

  async #listen(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        for await (const { paths } of this.#parts.source.folder.watch({ signal })) {
          if (paths === undefined) this.#lookEverywhere();
          else for (const path of paths) if (!path.includes("/")) this.#hinted.add(path);
          this.#alarm.ring();
        }
      } catch (error) {
        const { message } = toFarmError(error);
        this.#parts.log.debug("watching the central certificates ended and is begun again", { problem: message });
      }
      await pause(this.#pollMs, signal);
    }
  }

  async #rounds(signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#parts;
    let nextPoll = clock.monotonicMs() + this.#pollMs;
    while (!signal.aborted) {
      const untilPoll = Math.max(0, nextPoll - clock.monotonicMs());
      const rung = await this.#alarm.wait(Math.min(untilPoll, this.#relistPace.waitMs ?? untilPoll, this.#recheckPace.waitMs ?? untilPoll));
      if (rung) await pause(SETTLE_MS, signal);
      if (signal.aborted) return;
      try {
        await this.#takeHints();
        if (clock.monotonicMs() < nextPoll) continue;
        await this.#poll();
      } catch (error) {
        log.error("looking for changes of the central certificates failed", { problem: toFarmError(error).message });
      }
      nextPoll = clock.monotonicMs() + this.#pollMs;
    }
  }
}
