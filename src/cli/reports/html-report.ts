import { createHash } from "node:crypto";

import { count, formatTime } from "../text.ts";
import { escapeMarkup as safe } from "./escape.ts";
import { foldMatrix, type FoldedCell, type FoldedRow } from "./fold-matrix.ts";
import { htmlFindings } from "./html-findings.ts";
import { STYLE } from "./html-style.ts";
import { exitCodeOf, verdict } from "./render-report.ts";
import type { Cell, DoctorReport } from "./types.ts";

/** Rows of the matrix; what is beyond is counted, and stands in --json. */
const MOST_ROWS = 1_000;
/** Good hosts that are still rows of their own. */
const FEW_HOSTS = 12;
/** Hosts listed by name under the matrix. */
const MOST_NAMES = 20_000;
const MOST_GAPS = 200;

const SIGNS = { good: "✓", bad: "✗", warn: "!", differs: "≠", none: "·" } as const;

/** Nothing may be loaded, run, sent or framed; only the style of the page itself holds. */
const POLICY = `default-src 'none'; style-src 'sha256-${createHash("sha256").update(STYLE).digest("base64")}'; base-uri 'none'; form-action 'none'`;

/** The report as one page that needs nothing else: no script, no outside resource. Readable on a phone and on paper. */
export function htmlReport(report: DoctorReport): string {
  const title = exitCodeOf(report) === 2 ? "nothing could be looked at" : verdict(report);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${safe(POLICY).replaceAll("&#39;", "'")}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="robots" content="noindex">
<title>certfarm doctor: ${safe(title)}</title>
<style>${STYLE}</style>
</head>
<body>
${head(report, title)}
<main>
${matrixSection(report)}${htmlFindings(report.findings)}${gapSection(report)}</main>
<footer class="soft">Written by <code>certfarm doctor</code>. ${count(report.rules.length, "rule")} asked. Times are UTC.</footer>
</body>
</html>
`;
}

function head(report: DoctorReport, title: string): string {
  const code = exitCodeOf(report);
  const tone = code === 0 ? "good" : code === 1 ? "bad" : "warn";
  const nodes = report.nodes
    .slice(0, 30)
    .map(({ name, role, make }) => `${safe(name)}${role === "balancer" ? " (balancer)" : make === undefined ? "" : ` (${safe(make)})`}`);
  const more = report.nodes.length > 30 ? ` and ${report.nodes.length - 30} more` : "";
  return `<header class="${tone}"><h1>${code === 0 ? "✓" : code === 1 ? "✗" : "!"} ${safe(title)}</h1>
<p class="soft"><time>${formatTime(report.at)}</time></p><p class="soft">${nodes.join(", ")}${more}</p></header>`;
}

function matrixSection(report: DoctorReport): string {
  if (report.matrix.length === 0) return "";
  const { rows, good, unseen } = foldMatrix(report);
  const few = rows.length + good.length <= FEW_HOSTS ? good : [];
  const shown = rows.slice(0, MOST_ROWS);
  const left = rows.slice(MOST_ROWS).reduce((sum, { hosts }) => sum + hosts.length, 0);
  const texts = textsOf(report, new Set(shown.map(({ hosts }) => hosts[0] ?? "")));
  const body = [...shown.map((row) => rowOf(report.nodes, row, texts)), ...few.map((host) => goodRow(report, host))];
  const table = `<div class="matrix" role="region" aria-label="hosts and nodes" tabindex="0"><table>
<thead><tr><th scope="col">Host</th>${report.nodes.map(({ name }) => `<th scope="col">${safe(name)}</th>`).join("")}</tr></thead>
<tbody>${body.join("\n")}</tbody></table></div>\n`;
  return `<section><h2>Which node serves what</h2>
${body.length === 0 ? "" : table}${left === 0 ? "" : `<p>${count(left, "more host")} with something to see: <code>--json</code> has all of them.</p>\n`}${
    few.length > 0
      ? ""
      : namesOf(
          good,
          "good",
          `✓ ${count(good.length, rows.length === 0 ? "host is" : "more host is", rows.length === 0 ? "hosts are" : "more hosts are")} served alike by all nodes`,
        )
  }${namesOf(unseen, "soft", `${count(unseen.length, "host was", "hosts were")} not looked at`)}</section>\n`;
}

/** What is wrong in a row, cell by cell, in the words of its first host. */
function textsOf({ matrix }: DoctorReport, hosts: ReadonlySet<string>): ReadonlyMap<string, readonly Cell[]> {
  return new Map(matrix.flatMap(({ host, cells }) => (hosts.has(host) ? [[host, cells] as const] : [])));
}

function rowOf(nodes: DoctorReport["nodes"], { hosts, cells, differs }: FoldedRow, texts: ReadonlyMap<string, readonly Cell[]>): string {
  const [first = "", ...others] = hosts;
  const name =
    others.length === 0 ? safe(first) : `<details><summary>${safe(first)} and ${others.length} more</summary>${list(others)}</details>`;
  const tds = cells.map((cell, at) => cellOf(cell, { node: nodes[at]?.name ?? "", text: texts.get(first)?.[at]?.text ?? "", differs }));
  return `<tr><th scope="row">${name}</th>${tds.join("")}</tr>`;
}

interface Place {
  readonly node: string;
  readonly text: string;
  readonly differs: boolean;
}

function cellOf({ mark, word, findings }: FoldedCell, { node, text, differs }: Place): string {
  const tone = differs && mark === "bad" ? "bad odd" : mark;
  const refs = findings.slice(0, 5).map((number) => `<a href="#finding-${number}">[${number}]</a>`);
  const face = [SIGNS[mark], safe(mark === "none" ? "not looked at" : word), ...refs].filter((part) => part !== "").join(" ");
  const more = text === "" || mark === "good" || mark === "none" ? "" : `<small>${safe(text)}</small>`;
  return `<td class="${tone}" data-node="${safe(node)}">${face}${more}</td>`;
}

function goodRow({ nodes, matrix }: DoctorReport, host: string): string {
  const cells = matrix.find((row) => row.host === host)?.cells ?? [];
  const tds = cells.map(({ state }, at) =>
    cellOf({ mark: state === "ok" ? "good" : "none", word: "", findings: [] }, { node: nodes[at]?.name ?? "", text: "", differs: false }),
  );
  return `<tr><th scope="row">${safe(host)}</th>${tds.join("")}</tr>`;
}

function namesOf(hosts: readonly string[], tone: string, title: string): string {
  return hosts.length === 0 ? "" : `<details><summary class="${tone}">${safe(title)}</summary>${list(hosts)}</details>\n`;
}

function list(hosts: readonly string[]): string {
  const more = hosts.length > MOST_NAMES ? `<p>and ${hosts.length - MOST_NAMES} more</p>` : "";
  return `<ul class="names">${hosts
    .slice(0, MOST_NAMES)
    .map((host) => `<li>${safe(host)}</li>`)
    .join("")}</ul>${more}`;
}

function gapSection({ gaps, rules }: DoctorReport): string {
  const blind = rules.filter(({ status }) => status === "could-not-look" || status === "failed");
  if (gaps.length + blind.length === 0) return "";
  const lines = [
    ...gaps.map(
      ({ node, what, why }) => `<li>${node === undefined ? "" : `<strong>${safe(node)}</strong>: `}${safe(what)}: ${safe(why)}</li>`,
    ),
    ...blind.map(
      ({ code, status, why = "" }) =>
        `<li><code>${safe(code)}</code> ${status === "failed" ? "failed" : "could not be judged"}: ${safe(why)}</li>`,
    ),
  ];
  const more = lines.length > MOST_GAPS ? `<p>and ${lines.length - MOST_GAPS} more</p>` : "";
  return `<section><h2>Could not be looked at</h2><details${lines.length > 8 ? "" : " open"}><summary>${count(lines.length, "thing")}</summary><ul class="gaps">${lines.slice(0, MOST_GAPS).join("")}</ul>${more}</details></section>\n`;
}
