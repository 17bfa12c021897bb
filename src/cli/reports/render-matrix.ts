import type { Look } from "../look.ts";
import { formatTable } from "../table.ts";
import { clean, count, displayWidth, fit } from "../text.ts";
import type { Mark } from "./cell-face.ts";
import { foldColumns, foldMatrix, isDialled, looksOf, unfold, type FoldedCell, type FoldedRow } from "./fold-matrix.ts";
import type { DoctorReport } from "./types.ts";

/** Rows to show; a report of ten thousand broken hosts is for --json and --html. */
const MOST_ROWS = 40;
/** Hosts that are still shown one by one. */
const FEW_HOSTS = 8;
/** Columns of a page that is no terminal. */
const PAGE_COLUMNS = 140;
/** Nodes from which equal columns are put together even where there is room. */
const MANY_NODES = 20;

/** Characters of a node's and of a host's name: names out of files may be of any length. */
const MOST_TITLE = 40;
const MOST_NAME = 100;

const COLOURS = { good: "green", bad: "red", warn: "yellow", differs: "yellow", none: "gray" } as const satisfies Record<Mark, string>;

/** The matrix host × node, folded to what a person can take in; empty when nothing was asked for. */
export function renderMatrix(report: DoctorReport, look: Look): string {
  if (report.nodes.length === 0) return "";
  if (!isDialled(report)) return nodeTable(report, look);
  const { rows: folded, good, unseen } = foldMatrix(report);
  const rows = report.matrix.length <= FEW_HOSTS ? unfold(folded) : folded;
  const goodRows = rows.length + good.length <= FEW_HOSTS ? goodRowsOf(report, good) : [];
  const shown = [...rows.slice(0, MOST_ROWS), ...goodRows];
  return [
    shown.length === 0 ? "" : renderRows(report.nodes, shown, look),
    hidden(rows.slice(MOST_ROWS)),
    goodRows.length > 0 ? "" : goodText(good, { nodes: report.nodes.length, others: rows.length > 0 }, look),
    unseen.length === 0 ? "" : `${count(unseen.length, "host was", "hosts were")} not looked at on any node: ${nameHosts(unseen)}\n`,
  ].join("");
}

/** Where no host was dialled: the nodes, and the findings that name them. */
function nodeTable({ nodes, findings }: DoctorReport, look: Look): string {
  const { paint, symbols } = look;
  const rows = nodes.slice(0, MOST_ROWS).map(({ name, make }) => {
    const numbers = findings.flatMap((finding, at) => (finding.nodes.includes(name) ? [at + 1] : []));
    const sign = numbers.length === 0 ? paint("green", symbols.good) : paint("red", `${symbols.bad} [${numbers.slice(0, 8).join(",")}]`);
    return [clean(name), clean(make ?? symbols.none), make === undefined ? symbols.none : sign];
  });
  const more = nodes.length > MOST_ROWS ? `${count(nodes.length - MOST_ROWS, "more node")}\n` : "";
  return formatTable(["NODE", "MAKE", "FINDINGS"], rows, look) + more;
}

/** Every good host as a row of its own: where there are few, the eye wants them. */
function goodRowsOf({ matrix }: DoctorReport, good: readonly string[]): readonly FoldedRow[] {
  const names = new Set(good);
  return matrix
    .filter(({ host }) => names.has(host))
    .map(({ host, cells }) => ({
      hosts: [host],
      differs: false,
      cells: cells.map(({ state }): FoldedCell => ({ mark: state === "ok" ? "good" : "none", word: "", findings: [] })),
    }));
}

function hidden(rows: readonly FoldedRow[]): string {
  if (rows.length === 0) return "";
  const hosts = rows.reduce((sum, row) => sum + row.hosts.length, 0);
  return `${count(hosts, "more host")} in ${count(rows.length, "other pattern")}: --json and --html show all\n`;
}

function goodText(good: readonly string[], { nodes, others }: { nodes: number; others: boolean }, { paint, symbols }: Look): string {
  if (good.length === 0) return "";
  const [one, several] = others ? ["more host is", "more hosts are"] : ["host is", "hosts are"];
  return `${paint("green", symbols.good)} ${count(good.length, one, several)} served ${nodes === 1 ? "well" : "alike by all nodes"}\n`;
}

/** The first names, and how many more. */
export function nameHosts(hosts: readonly string[], shown = 3): string {
  const names = hosts
    .slice(0, shown)
    .map((host) => fit(clean(host), MOST_NAME))
    .join(", ");
  return hosts.length > shown ? `${names} and ${hosts.length - shown} more` : names;
}

function renderRows(nodes: DoctorReport["nodes"], rows: readonly FoldedRow[], look: Look): string {
  const room = look.columns ?? PAGE_COLUMNS;
  const singly = nodes.map((_node, at) => [at]);
  const folded = foldColumns(nodes, rows);
  const fits = (groups: readonly (readonly number[])[]): boolean => widthOf(nodes, rows, groups, look) <= room;
  if (nodes.length < MANY_NODES && fits(singly)) return table(nodes, rows, singly, look);
  if (fits(folded)) return table(nodes, rows, folded, look) + legend(nodes, folded);
  return narrow(nodes, rows, look);
}

const titleOf = (nodes: DoctorReport["nodes"], group: readonly number[]): string => {
  const name = fit(clean(nodes[group[0] ?? 0]?.name ?? ""), MOST_TITLE);
  return group.length === 1 ? name : `${name} +${group.length - 1}`;
};

const rowName = ({ hosts }: FoldedRow): string => `${clean(hosts[0] ?? "")}${hosts.length > 1 ? ` and ${hosts.length - 1} more` : ""}`;

function widthOf(nodes: DoctorReport["nodes"], rows: readonly FoldedRow[], groups: readonly (readonly number[])[], look: Look): number {
  const first = Math.max(4, ...rows.map((row) => displayWidth(rowName(row))));
  const columns = groups.map((group) =>
    Math.max(displayWidth(titleOf(nodes, group)), ...rows.map(({ cells }) => displayWidth(cellText(cells[group[0] ?? 0], look)))),
  );
  return columns.reduce((sum, width) => sum + width + 2, first);
}

function table(nodes: DoctorReport["nodes"], rows: readonly FoldedRow[], groups: readonly (readonly number[])[], look: Look): string {
  const body = rows.map((row) => [rowName(row), ...groups.map((group) => painted(row.cells[group[0] ?? 0], row, look))]);
  return formatTable(["HOST", ...groups.map((group) => titleOf(nodes, group))], body, look);
}

/** Who is behind `web1 +17`. */
function legend(nodes: DoctorReport["nodes"], groups: readonly (readonly number[])[]): string {
  return groups
    .filter((group) => group.length > 1)
    .map(
      (group) =>
        `${titleOf(nodes, group)}: ${nameHosts(
          group.map((at) => nodes[at]?.name ?? ""),
          12,
        )}\n`,
    )
    .join("");
}

function cellText(cell: FoldedCell | undefined, { symbols }: Look): string {
  if (cell === undefined) return symbols.none;
  const findings = cell.findings.length === 0 ? "" : ` [${cell.findings.slice(0, 3).join(",")}]`;
  return `${symbols[cell.mark]}${cell.word === "" ? "" : ` ${cell.word}`}${findings}`;
}

/** What differs from node to node stands out; what all nodes share keeps its colour only. */
function painted(cell: FoldedCell | undefined, { differs }: FoldedRow, look: Look): string {
  const text = cellText(cell, look);
  if (cell === undefined) return text;
  return look.paint(differs && cell.mark !== "good" && cell.mark !== "none" ? ["bold", COLOURS[cell.mark]] : COLOURS[cell.mark], text);
}

/** For many nodes on a narrow terminal: how many serve it, then who does not. */
function narrow(nodes: DoctorReport["nodes"], rows: readonly FoldedRow[], look: Look): string {
  const lines = rows.flatMap((row) => {
    const kinds = new Map<string, { cell: FoldedCell; names: string[] }>();
    for (const [at, cell] of row.cells.entries()) {
      const key = looksOf(cell);
      const kind = kinds.get(key) ?? { cell, names: [] };
      kinds.set(key, kind);
      kind.names.push(nodes[at]?.name ?? "");
    }
    return [
      look.paint("bold", rowName(row)),
      ...[...kinds.values()].map(({ cell, names }) => `  ${painted(cell, row, look)}: ${nameHosts(names, 6)}`),
    ];
  });
  return lines.map((line) => `${line}\n`).join("");
}
