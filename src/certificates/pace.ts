import type { Clock } from "../base/index.ts";

/** Rests after a piece of work for as many times as long as it took: work that is asked for again and again never takes all the time. */
export class Pace {
  readonly #clock: Clock;
  readonly #rests: number;
  #startedAt = Number.NEGATIVE_INFINITY;
  #restUntil = Number.NEGATIVE_INFINITY;
  #costMs = 0;
  /** Asked for and not begun yet. */
  wanted = false;

  constructor(clock: Clock, rests: number) {
    this.#clock = clock;
    this.#rests = rests;
  }

  /** What the work took the last time. */
  get costMs(): number {
    return this.#costMs;
  }

  get sinceMs(): number {
    return this.#clock.monotonicMs() - this.#startedAt;
  }

  /** How long to wait until it may be done; undefined when nobody wants it. */
  get waitMs(): number | undefined {
    return this.wanted ? Math.max(0, this.#restUntil - this.#clock.monotonicMs()) : undefined;
  }

  /** Does the work now, wanted or not. */
  async run(work: () => Promise<void>): Promise<void> {
    this.wanted = false;
    this.#startedAt = this.#clock.monotonicMs();
    try {
      await work();
    } finally {
      const now = this.#clock.monotonicMs();
      this.#costMs = now - this.#startedAt;
      this.#restUntil = now + this.#costMs * this.#rests;
    }
  }
}
