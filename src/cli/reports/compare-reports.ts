import { cellFace } from "./cell-face.ts";
import type { Cell, DoctorReport, Finding } from "./types.ts";

/** What became different from one report to another. */
export interface ReportChanges {
  /** When the earlier report was made. */
  readonly since: number;
  readonly at: number;
  readonly appeared: readonly Finding[];
  readonly gone: readonly Finding[];
  /** Findings that are still there with another severity or summary, as they are now. */
  readonly changed: readonly Finding[];
  readonly cells: readonly CellChange[];
}

/** A cell that looks different, was not there before, or is there no more. */
interface CellChange {
  readonly node: string;
  readonly host: string;
  readonly before?: Cell;
  readonly after?: Cell;
}

/** Compares two reports of the doctor. A cell has changed when its state, how it fails, or its certificate has. */
export function compareReports(before: DoctorReport, after: DoctorReport): ReportChanges {
  const earlier = new Map(before.findings.map((finding) => [finding.id, finding]));
  const later = new Set(after.findings.map(({ id }) => id));
  return {
    since: before.at,
    at: after.at,
    appeared: after.findings.filter(({ id }) => !earlier.has(id)),
    gone: before.findings.filter(({ id }) => !later.has(id)),
    changed: after.findings.filter(({ id, severity, summary }) => {
      const known = earlier.get(id);
      return known !== undefined && (known.severity !== severity || known.summary !== summary);
    }),
    cells: compareCells(cellsOf(before), cellsOf(after)),
  };
}

/** Whether there is nothing to tell. */
export const isUnchanged = ({ appeared, gone, changed, cells }: ReportChanges): boolean =>
  appeared.length + gone.length + changed.length + cells.length === 0;

interface Placed {
  readonly node: string;
  readonly host: string;
  readonly cell: Cell;
}

function cellsOf({ matrix, nodes }: DoctorReport): ReadonlyMap<string, Placed> {
  const placed = new Map<string, Placed>();
  for (const { host, cells } of matrix) {
    for (const [at, cell] of cells.entries()) {
      const node = nodes[at]?.name ?? "";
      if (cell.state !== "not-looked") placed.set(`${node} ${host}`, { node, host, cell });
    }
  }
  return placed;
}

function compareCells(before: ReadonlyMap<string, Placed>, after: ReadonlyMap<string, Placed>): readonly CellChange[] {
  const now = [...after].flatMap(([key, { node, host, cell }]): readonly CellChange[] => {
    const old = before.get(key)?.cell;
    if (old === undefined) return [{ node, host, after: cell }];
    return isSame(old, cell) ? [] : [{ node, host, before: old, after: cell }];
  });
  const away = [...before].flatMap(([key, { node, host, cell }]) => (after.has(key) ? [] : [{ node, host, before: cell }]));
  return [...now, ...away];
}

function isSame(a: Cell, b: Cell): boolean {
  return a.state === b.state && a.thumbprint === b.thumbprint && cellFace(a).word === cellFace(b).word;
}
