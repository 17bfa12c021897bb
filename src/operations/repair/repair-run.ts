import type { Instant } from "../../base/index.ts";
import type { Row } from "../../bindings/index.ts";
import type { RepairPlan, StepAction } from "../../doctor/index.ts";

/**
 * How far a step has come. `acted`: done, not proved yet. `no-better`: nothing got worse, and what it should mend did not get better.
 * `undone`: a proof got worse and the step was taken back.
 */
export type StepState = "waiting" | "begun" | "acted" | "proved" | "no-better" | "undone" | "undo-failed" | "failed";

/** A step as it is in the journal. */
export interface StepRun {
  readonly id: string;
  readonly action: StepAction;
  readonly text: string;
  readonly state: StepState;
  readonly problem?: string;
  /** Hosts that are served now and were not before. */
  readonly mended?: number;
  /** Noted before acting: how to take it back. `none`: there was nothing to do, or it cannot be taken back. */
  readonly undo?:
    | { readonly kind: "none" }
    | { readonly kind: "delete-central-row"; readonly port: number }
    | { readonly kind: "add-row"; readonly row: Row };
}

/** One node of a repair. `by-others`: somebody else had drained it, so it stays drained. */
export interface NodeRun {
  readonly node: string;
  readonly drained: "no" | "yes" | "undrained" | "by-others";
  readonly steps: readonly StepRun[];
  /** What was served before the step that is under way, for the proof after a crash. */
  readonly before?: Readonly<Record<string, number>>;
}

/** A repair as it is in the journal. `interrupted`: its process ended in the middle; a later repair finished the node it was at. */
export interface RepairRun {
  readonly id: string;
  readonly by: string;
  readonly startedAt: Instant;
  readonly endedAt?: Instant;
  readonly outcome: "running" | "mended" | "not-mended" | "stopped" | "interrupted";
  readonly why?: string;
  readonly nodes: readonly NodeRun[];
}

/** What is told of a repair under way. */
export interface StepProgress {
  readonly kind: "step";
  readonly node: string;
  readonly phase: "recover" | "drain" | "act" | "prove" | "undo" | "undrain";
  readonly state: "begun" | "done" | "failed";
  readonly text: string;
  /** Steps that are behind. */
  readonly done: number;
  readonly total: number;
}

/** How a repair ended. */
export interface RepairResult {
  readonly outcome: "nothing-to-do" | "mended" | "not-mended" | "stopped";
  readonly run?: RepairRun;
  /** Repairs that had ended in the middle, and what became of them. */
  readonly recovered: readonly RepairRun[];
  readonly plan: PlannedRepair;
}

/** A plan, and what earlier repairs left. */
export interface PlannedRepair extends RepairPlan {
  /** Ids of repairs that ended in the middle or are under way. */
  readonly interrupted: readonly string[];
}
