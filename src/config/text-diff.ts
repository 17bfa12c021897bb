import { createTwoFilesPatch } from "diff";

const CONTEXT_LINES = 3;
/** The search costs lines × changes; past this it is given up. */
const MAX_CHANGED_LINES = 2_000;

/** The two texts of a diff. */
export interface DiffSide {
  /** How the side is called in the head of the diff: `revision 41`, `farm.yaml`. */
  readonly label: string;
  readonly text: string;
}

/** A unified diff with three lines of context; empty when the texts are equal. Over 2,000 changed lines one line says so instead. */
export function textDiff(before: DiffSide, after: DiffSide): string {
  if (before.text === after.text) return "";
  const patch = createTwoFilesPatch(before.label, after.label, before.text, after.text, undefined, undefined, {
    context: CONTEXT_LINES,
    maxEditLength: MAX_CHANGED_LINES,
  });
  if (patch === undefined) return `${before.label} and ${after.label} differ in more than ${MAX_CHANGED_LINES} lines\n`;
  // The library opens with a rule of its own that unified diffs do not have.
  return patch.replace(/^=+\n/, "").replace(/^(---|\+\+\+) (.*?)\t$/gm, "$1 $2");
}
