import { cellFace, type CellFace } from "./cell-face.ts";
import type { Cell, DoctorReport } from "./types.ts";

/** A cell as a matrix shows it. */
export interface FoldedCell extends CellFace {
  /** Numbers of the findings that explain it, from 1, in the order of the report. */
  readonly findings: readonly number[];
}

/** Hosts that look alike on every node. */
export interface FoldedRow {
  /** At least one. */
  readonly hosts: readonly string[];
  /** In the order of the report's nodes. */
  readonly cells: readonly FoldedCell[];
  /** Not every node that was looked at shows the same. */
  readonly differs: boolean;
}

/** A matrix with equal rows put together. */
export interface FoldedMatrix {
  /** Rows with something to see: those that differ between nodes first, then those with more that is wrong. */
  readonly rows: readonly FoldedRow[];
  /** Hosts that every node that was looked at serves as it should. */
  readonly good: readonly string[];
  /** Hosts that no node was asked for. */
  readonly unseen: readonly string[];
}

/** Whether any cell was looked at: evidence alone has none. */
export const isDialled = ({ matrix }: Pick<DoctorReport, "matrix">): boolean =>
  matrix.some(({ cells }) => cells.some(({ state }) => state !== "not-looked"));

/** Puts rows together that look alike. */
export function foldMatrix({ matrix, findings }: Pick<DoctorReport, "matrix" | "findings">): FoldedMatrix {
  const numbers = new Map(findings.map(({ id }, at) => [id, at + 1]));
  const groups = new Map<string, { hosts: string[]; cells: readonly FoldedCell[] }>();
  const good: string[] = [];
  const unseen: string[] = [];
  for (const { host, cells } of matrix) {
    if (cells.every(({ state }) => state === "not-looked")) unseen.push(host);
    else if (cells.every(isQuiet)) good.push(host);
    else
      addTo(
        groups,
        host,
        cells.map((cell) => fold(cell, numbers)),
      );
  }
  const rows = [...groups.values()].map((group) => ({ ...group, differs: differs(group.cells) }));
  return { rows: rows.toSorted(compareRows), good, unseen };
}

const isQuiet = ({ state }: Cell): boolean => state === "ok" || state === "not-looked";

function addTo(groups: Map<string, { hosts: string[]; cells: readonly FoldedCell[] }>, host: string, cells: readonly FoldedCell[]): void {
  const key = JSON.stringify(cells.map(looksOf));
  const group = groups.get(key);
  if (group === undefined) groups.set(key, { hosts: [host], cells });
  else group.hosts.push(host);
}

function fold(cell: Cell, numbers: ReadonlyMap<string, number>): FoldedCell {
  const findings = [...new Set(cell.explainedBy)].flatMap((id) => numbers.get(id) ?? []).toSorted((a, b) => a - b);
  return { ...cellFace(cell), findings };
}

/** Equal for cells that look alike. */
export const looksOf = ({ mark, word, findings }: FoldedCell): string => `${mark} ${word} ${findings.join(",")}`;

const isBad = ({ mark }: FoldedCell): boolean => mark !== "good" && mark !== "none";

function differs(cells: readonly FoldedCell[]): boolean {
  const looked = cells.filter(({ mark }) => mark !== "none");
  return looked.some(({ mark, word }) => mark !== looked[0]?.mark || word !== looked[0].word);
}

function compareRows(a: FoldedRow, b: FoldedRow): number {
  return Number(b.differs) - Number(a.differs) || b.cells.filter(isBad).length - a.cells.filter(isBad).length;
}

/** Each host in a row of its own: where there are few, the eye wants them. */
export const unfold = (rows: readonly FoldedRow[]): readonly FoldedRow[] =>
  rows.flatMap((row) => row.hosts.map((host) => ({ ...row, hosts: [host] })));

/** Nodes whose cells look alike in every row, as one column. Balancers stay by themselves. */
export function foldColumns(nodes: DoctorReport["nodes"], rows: readonly FoldedRow[]): readonly (readonly number[])[] {
  const groups = new Map<string, number[]>();
  for (const [at, { role }] of nodes.entries()) {
    const key = role === "balancer" ? `balancer ${at}` : JSON.stringify(rows.map(({ cells }) => looksOf(cells[at] ?? NOTHING)));
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [at]);
    else group.push(at);
  }
  return [...groups.values()];
}

const NOTHING: FoldedCell = { mark: "none", word: "", findings: [] };
