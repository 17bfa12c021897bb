import type { Cell } from "../examination.ts";
import { servedOf } from "./served.ts";

/**
 * Whether one address went back and forth between certificates for the same question. One change alone may be a renewal that
 * took place meanwhile.
 */
export function flips(cell: Cell): boolean {
  const first = servedOf(cell);
  if (first === undefined || cell.samples === undefined) return false;
  const seen = cell.samples.toSorted((a, b) => a.at - b.at).flatMap(({ outcome }) => (outcome.kind === "served" ? [outcome.sha256] : []));
  const changes = seen.filter((sha256, index) => sha256 !== (seen[index - 1] ?? first.sha256)).length;
  return changes > 1;
}
