import { FarmError } from "../base/index.ts";
import type { ReadLimits } from "./types.ts";

/** The bounds when a caller gives none. */
export const DEFAULT_LIMITS: ReadLimits = { maxBytes: 1024 * 1024, maxIterations: 2_000_000, maxDepth: 32, maxItems: 64 };

/** ASN.1 values in one document: far above any certificate with hundreds of names, and parsed in well under a second. */
export const MAX_VALUES = 20_000;

/** The passwords together may cost this many times what one may. */
const ALL_PASSWORDS_FACTOR = 3;

/** A file has three derivations at least when all of it is protected, so one alone may not take more than half. */
const SHARE_OF_ONE = 2;

/**
 * Counts key-derivation iterations before they are spent, for each derivation, each password and the whole file.
 * The first two keep a costly file out, the last bounds what many wrong passwords cost.
 */
export class WorkBudget {
  readonly #limit: number;
  readonly #spent = new Map<number, number>();
  #total = 0;

  constructor(maxIterations: number) {
    this.#limit = maxIterations;
  }

  /** Whether an attempt that nobody asked for (an implied password, a deviating encoding) is cheap enough to make. */
  affords(password: number, iterations: number): boolean {
    return this.#allows(password, iterations) && this.#total + iterations <= this.#limit;
  }

  /** Books the work that is about to be done. @throws CERTIFICATE_TOO_COSTLY */
  spend(password: number, iterations: number, what: string): void {
    if (!this.#allows(password, iterations)) {
      const sum = (this.#spent.get(password) ?? 0) + iterations;
      throw new FarmError(
        "CERTIFICATE_TOO_COSTLY",
        `${what} asks for ${iterations} key-derivation iterations (${sum} for one password, ${this.#total + iterations} in all); ` +
          `the limit is ${this.#limit} for one password, of which one derivation takes half at most`,
      );
    }
    this.#spent.set(password, (this.#spent.get(password) ?? 0) + iterations);
    this.#total += iterations;
  }

  #allows(password: number, iterations: number): boolean {
    const sum = (this.#spent.get(password) ?? 0) + iterations;
    const isWithinTotal = this.#total + iterations <= this.#limit * ALL_PASSWORDS_FACTOR;
    return iterations <= this.#limit / SHARE_OF_ONE && sum <= this.#limit && isWithinTotal;
  }
}
