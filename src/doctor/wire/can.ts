import type { Cell, ProbeKind } from "../examination.ts";
import { outcomeOf } from "./served.ts";

/** Whether a kind of probe was served; undefined when it was not sent, or when no answer at all came. */
export function can(kind: ProbeKind): (cell: Cell) => boolean | undefined {
  return (cell) => {
    const outcome = outcomeOf(cell, kind);
    if (outcome === undefined || outcome.kind === "refused" || outcome.kind === "timeout") return undefined;
    return outcome.kind === "served";
  };
}
