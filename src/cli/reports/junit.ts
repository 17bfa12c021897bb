import { escapeMarkup } from "./escape.ts";
import type { Cell, Finding, DoctorReport } from "./types.ts";

/**
 * The report as JUnit XML, as build servers read it: a suite for each node with a case for each host, and one suite with the findings.
 * Cells that were not looked at are skipped cases; notices are passed cases.
 */
export function junitReport(report: DoctorReport): string {
  const suites = report.nodes.map(({ name }, at) =>
    nodeSuite(
      name,
      report.matrix.map(({ host, cells }) => ({ host, cell: cells[at] })),
    ),
  );
  suites.push(findingSuite(report.findings));
  const [tests, failures, skipped] = [sum(suites, "tests"), sum(suites, "failures"), sum(suites, "skipped")];
  const timestamp = timestampOf(report.at);
  return [
    `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="certfarm doctor" tests="${tests}" failures="${failures}" skipped="${skipped}" errors="0">\n`,
    ...suites.map(
      ({ name, xml, ...counts }) =>
        `<testsuite name="${name}" tests="${counts.tests}" failures="${counts.failures}" skipped="${counts.skipped}" errors="0"${timestamp}>\n${xml}</testsuite>\n`,
    ),
    "</testsuites>\n",
  ].join("");
}

interface Suite {
  readonly name: string;
  readonly tests: number;
  readonly failures: number;
  readonly skipped: number;
  readonly xml: string;
}

const sum = (suites: readonly Suite[], key: "tests" | "failures" | "skipped"): number =>
  suites.reduce((total, suite) => total + suite[key], 0);

function timestampOf(at: number): string {
  const date = new Date(at);
  return Number.isNaN(date.getTime()) ? "" : ` timestamp="${date.toISOString().slice(0, 19)}"`;
}

function nodeSuite(node: string, rows: readonly { readonly host: string; readonly cell: Cell | undefined }[]): Suite {
  const name = escapeMarkup(node);
  const isSkipped = (cell: Cell | undefined): boolean => cell === undefined || cell.state === "not-looked";
  return {
    name,
    tests: rows.length,
    failures: rows.filter(({ cell }) => !isSkipped(cell) && cell?.state !== "ok").length,
    skipped: rows.filter(({ cell }) => isSkipped(cell)).length,
    xml: rows.map(({ host, cell }) => testCase(`name="${escapeMarkup(host)}" classname="${name}"${timeOf(cell)}`, cellBody(cell))).join(""),
  };
}

const timeOf = (cell: Cell | undefined): string => (cell?.tookMs === undefined ? "" : ` time="${(cell.tookMs / 1000).toFixed(3)}"`);

const testCase = (attributes: string, body: string): string =>
  body === "" ? `<testcase ${attributes}/>\n` : `<testcase ${attributes}>${body}</testcase>\n`;

function cellBody(cell: Cell | undefined): string {
  if (cell === undefined || cell.state === "not-looked") return "<skipped/>";
  if (cell.state === "ok") return "";
  const because = cell.explainedBy === undefined ? "" : `explained by ${escapeMarkup(cell.explainedBy.join(", "))}`;
  return `<failure type="${escapeMarkup(cell.state)}" message="${escapeMarkup(cell.text)}">${because}</failure>`;
}

function findingSuite(findings: readonly Finding[]): Suite {
  const body = (finding: Finding): string => {
    const told = [...finding.proof.map(({ text, source }) => `${text} (${source})`), finding.remedy].map(escapeMarkup).join("\n");
    if (finding.severity === "notice") return `<system-out>${told}</system-out>`;
    return `<failure type="${finding.severity}" message="${escapeMarkup(finding.summary)}">${told}</failure>`;
  };
  return {
    name: "findings",
    tests: findings.length,
    failures: findings.filter(({ severity }) => severity !== "notice").length,
    skipped: 0,
    xml: findings
      .map((finding) => testCase(`name="${escapeMarkup(`${finding.code} ${finding.id}`)}" classname="findings"`, body(finding)))
      .join(""),
  };
}
