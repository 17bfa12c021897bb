/** A moment in milliseconds since the Unix epoch. */
export type Instant = number & { readonly __brand: "Instant" };

/** Where code gets the time from; tests pass their own. */
export interface Clock {
  /** Wall-clock time. */
  now(): Instant;
  /** Milliseconds on a clock that never jumps; only differences mean something. */
  monotonicMs(): number;
}

/** The machine's clock. */
export const systemClock: Clock = {
  now: () => Date.now() as Instant, // the brand's one maker
  monotonicMs: () => performance.now(),
};

/** A number of epoch milliseconds as an Instant. */
export const instant = (epochMs: number): Instant => epochMs as Instant;
