import type { FarmError } from "../../base/index.ts";

/** One thing that was tried. */
export interface CheckStep {
  readonly name: string;
  readonly outcome: "ok" | "slow" | "wrong";
  readonly ms: number;
  /** What was found; why it is wrong. */
  readonly note?: string;
  readonly error?: FarmError;
}

/** Something that was found without trying. */
export interface CheckFact {
  readonly name: string;
  readonly outcome: "ok" | "note" | "wrong";
  readonly text: string;
}

/** What a trial of a store showed. */
export interface StoreCheck {
  readonly place: string;
  readonly blobs: string;
  /** The farm whose store it is; undefined = none is there yet, or it could not be told. */
  readonly farm?: string;
  readonly steps: readonly CheckStep[];
  readonly facts: readonly CheckFact[];
  /** `wrong`: something failed. `slow`: everything works, slower than a farm should have it. */
  readonly outcome: "ok" | "slow" | "wrong";
}
