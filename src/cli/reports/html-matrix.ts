import { clean, fit } from "../text.ts";
import { escapeMarkup as safe } from "./escape.ts";
import { foldColumns, type FoldedCell, type FoldedRow } from "./fold-matrix.ts";
import type { DoctorReport } from "./types.ts";

/** Hosts or nodes listed by name in one place. */
const MOST_NAMES = 20_000;
/** Nodes from which equal columns are put together. */
const MANY_NODES = 12;

/** Characters of a column's title: names out of files may be of any length. */
const MOST_TITLE = 64;

const SIGNS = { good: "✓", bad: "✗", warn: "!", differs: "≠", none: "·" } as const;

/** A column: nodes that look alike in every row. */
interface Column {
  /** The first of them in the report's nodes. */
  readonly at: number;
  readonly title: string;
}

/** The matrix of a page; on a narrow screen each row becomes a card. */
export function htmlMatrix(report: DoctorReport, rows: readonly FoldedRow[]): string {
  const groups = report.nodes.length < MANY_NODES ? report.nodes.map((_node, at) => [at]) : foldColumns(report.nodes, rows);
  const columns = groups.map(([at = 0, ...others]): Column => {
    const name = fit(clean(report.nodes[at]?.name ?? ""), MOST_TITLE);
    return { at, title: others.length === 0 ? name : `${name} +${others.length}` };
  });
  const texts = textsOf(report, new Set(rows.map(({ hosts }) => hosts[0] ?? "")));
  const names = groups.map((group, at) =>
    group.length === 1
      ? ""
      : htmlNames(
          group.map((index) => report.nodes[index]?.name ?? ""),
          "soft",
          `${columns[at]?.title ?? ""}: nodes that look alike`,
        ),
  );
  return `<div class="matrix" role="region" aria-label="hosts and nodes" tabindex="0"><table>
<thead><tr><th scope="col">Host</th>${columns.map(({ title }) => `<th scope="col">${safe(title)}</th>`).join("")}</tr></thead>
<tbody>${rows.map((row) => rowOf(row, columns, texts.get(row.hosts[0] ?? "") ?? [])).join("\n")}</tbody></table></div>\n${names.join("")}`;
}

/** What is wrong in the first host of a row, cell by cell. */
function textsOf({ matrix }: DoctorReport, hosts: ReadonlySet<string>): ReadonlyMap<string, readonly string[]> {
  return new Map(matrix.flatMap(({ host, cells }) => (hosts.has(host) ? [[host, cells.map(({ text }) => text)] as const] : [])));
}

function rowOf({ hosts, cells, differs }: FoldedRow, columns: readonly Column[], texts: readonly string[]): string {
  const [first = "", ...others] = hosts;
  const name = others.length === 0 ? safe(first) : htmlNames(others, "", `${first} and ${others.length} more`);
  const row = columns.map(({ at, title }) => cellOf(cells[at], { title, text: texts[at] ?? "", differs }));
  return `<tr><th scope="row">${name}</th>${row.join("")}</tr>`;
}

interface Place {
  readonly title: string;
  readonly text: string;
  readonly differs: boolean;
}

function cellOf(cell: FoldedCell = { mark: "none", word: "", findings: [] }, { title, text, differs }: Place): string {
  const { mark, word, findings } = cell;
  const tone = differs && mark === "bad" ? "bad odd" : mark;
  const refs = findings.slice(0, 5).map((number) => `<a href="#finding-${number}">[${number}]</a>`);
  const face = [SIGNS[mark], safe(mark === "none" && word === "" ? "not looked at" : word), ...refs]
    .filter((part) => part !== "")
    .join(" ");
  const more = text === "" || mark === "good" || mark === "none" ? "" : `<small>${safe(text)}</small>`;
  return `<td class="${tone}" data-node="${safe(title)}">${face}${more}</td>`;
}

const MOST_NODES = 1_000;

/** Where no host was dialled: the nodes, and the findings that name them. */
export function htmlNodes({ nodes, findings }: DoctorReport): string {
  if (nodes.length === 0) return "";
  const rows = nodes.slice(0, MOST_NODES).map(({ name, make }) => {
    const numbers = findings.flatMap((finding, at) => (finding.nodes.includes(name) ? [at + 1] : []));
    const mark = make === undefined ? "none" : numbers.length === 0 ? "good" : "bad";
    const word = make === undefined ? "no evidence" : "";
    const cell = cellOf({ mark, word, findings: numbers }, { title: make ?? "", text: "", differs: false });
    return `<tr><th scope="row">${safe(name)}</th>${cell}</tr>`;
  });
  const more = nodes.length > MOST_NODES ? `<p>and ${nodes.length - MOST_NODES} more</p>` : "";
  return `<section><h2>What the nodes say of themselves</h2><div class="matrix"><table><thead><tr><th scope="col">Node</th><th scope="col">Findings</th></tr></thead>
<tbody>${rows.join("\n")}</tbody></table></div>${more}</section>\n`;
}

/** Names that unfold under a title; nothing for none. */
export function htmlNames(names: readonly string[], tone: string, title: string): string {
  if (names.length === 0) return "";
  const more = names.length > MOST_NAMES ? `<p>and ${names.length - MOST_NAMES} more</p>` : "";
  const items = names.slice(0, MOST_NAMES).map((name) => `<li>${safe(name)}</li>`);
  return `<details><summary class="${tone}">${safe(title)}</summary><ul class="names">${items.join("")}</ul>${more}</details>\n`;
}
