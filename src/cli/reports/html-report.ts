import { createHash } from "node:crypto";

import { count, formatTime } from "../text.ts";
import { escapeMarkup as safe } from "./escape.ts";
import { foldMatrix, isDialled, unfold, type FoldedRow } from "./fold-matrix.ts";
import { htmlFindings } from "./html-findings.ts";
import { htmlMatrix, htmlNames, htmlNodes } from "./html-matrix.ts";
import { STYLE } from "./html-style.ts";
import { exitCodeOf, toneOf, verdict } from "./render-report.ts";
import type { DoctorReport } from "./types.ts";

/** Rows of the matrix; what is beyond is counted, and stands in --json. */
const MOST_ROWS = 1_000;
/** Hosts that are still rows of their own. */
const FEW_HOSTS = 12;
const MOST_GAPS = 200;

const SIGNS = { good: "✓", bad: "✗", warn: "!" } as const;

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
  const tone = toneOf(report);
  const nodes = report.nodes
    .slice(0, 30)
    .map(({ name, role, make }) => `${safe(name)}${role === "balancer" ? " (balancer)" : make === undefined ? "" : ` (${safe(make)})`}`);
  const more = report.nodes.length > 30 ? ` and ${report.nodes.length - 30} more` : "";
  return `<header class="${tone}"><h1>${SIGNS[tone]} ${safe(title)}</h1>
<p class="soft"><time>${formatTime(report.at)}</time></p><p class="soft">${nodes.join(", ")}${more}</p></header>`;
}

function matrixSection(report: DoctorReport): string {
  if (!isDialled(report)) return htmlNodes(report);
  const { rows: folded, good, unseen } = foldMatrix(report);
  const rows = report.matrix.length <= FEW_HOSTS ? unfold(folded) : folded;
  const few = rows.length + good.length <= FEW_HOSTS ? good : [];
  const shown = [...rows.slice(0, MOST_ROWS), ...few.map((host) => goodRow(report, host))];
  const left = rows.slice(MOST_ROWS).reduce((sum, { hosts }) => sum + hosts.length, 0);
  const [one, several] = rows.length === 0 ? ["host is", "hosts are"] : ["more host is", "more hosts are"];
  return `<section><h2>Which node serves what</h2>
${shown.length === 0 ? "" : htmlMatrix(report, shown)}${left === 0 ? "" : `<p>${count(left, "more host")} with something to see: <code>--json</code> has all of them.</p>\n`}${
    few.length > 0 ? "" : htmlNames(good, "good", `✓ ${count(good.length, one, several)} served alike by all nodes`)
  }${htmlNames(unseen, "soft", `${count(unseen.length, "host was", "hosts were")} not looked at`)}</section>\n`;
}

function goodRow({ matrix }: DoctorReport, host: string): FoldedRow {
  const cells = matrix.find((row) => row.host === host)?.cells ?? [];
  return {
    hosts: [host],
    differs: false,
    cells: cells.map(({ state }) => ({ mark: state === "ok" ? "good" : "none", word: "", findings: [] })),
  };
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
