import type { Look } from "../look.ts";
import { brief, clean, count, formatTime } from "../text.ts";
import { isDialled } from "./fold-matrix.ts";
import { nameHosts, renderMatrix } from "./render-matrix.ts";
import { renderFindings } from "./render-findings.ts";
import type { DoctorReport } from "./types.ts";
import { wrap } from "./wrap.ts";

const MOST_GAPS = 12;
const PAGE_COLUMNS = 120;

/** The whole report for a person: the matrix, the findings, what could not be looked at, and what to type next. */
export function renderReport(report: DoctorReport, look: Look, next: readonly string[] = []): string {
  const parts = [
    head(report, look),
    renderMatrix(report, look),
    renderFindings(report.findings, look),
    gapsText(report, look),
    nextText(next, look),
  ];
  return look.symbols.fit(parts.filter((part) => part !== "").join("\n"));
}

/** One line that says it all. */
export function verdict(report: Pick<DoctorReport, "nodes" | "matrix" | "findings">): string {
  const hosts = isDialled(report) ? report.matrix.length : 0;
  const nodes = report.nodes.filter(({ role }) => role === "node").length;
  const what = hosts === 0 ? count(nodes, "node") : `${count(hosts, "host")} on ${count(nodes, "node")}`;
  const by = (severity: string): number => report.findings.filter((finding) => finding.severity === severity).length;
  const found = [count(by("error"), "error"), count(by("warning"), "warning"), count(by("notice"), "notice")].filter(
    (text) => !text.startsWith("0 "),
  );
  return `${what}: ${found.length === 0 ? "nothing is wrong" : found.join(", ")}`;
}

function head(report: DoctorReport, { paint, symbols }: Look): string {
  const tone = toneOf(report);
  const sign = paint(TONES[tone], symbols[tone]);
  const text = exitCodeOf(report) === 2 ? "nothing could be looked at" : verdict(report);
  return `${sign} ${paint("bold", text)}  ${paint("gray", formatTime(report.at))}\n`;
}

const TONES = { good: "green", bad: "red", warn: "yellow" } as const;

/** How the whole of it is to be taken; warnings alone, and what could not be looked at, are no alarm. */
export function toneOf(report: Pick<DoctorReport, "nodes" | "matrix" | "findings">): "good" | "bad" | "warn" {
  if (report.findings.some(({ severity }) => severity === "error")) return "bad";
  return exitCodeOf(report) === 0 ? "good" : "warn";
}

/** 0 = healthy (notices allowed), 1 = findings, 2 = nothing could be looked at: no cell and no evidence. */
export function exitCodeOf({ nodes, matrix, findings }: Pick<DoctorReport, "nodes" | "matrix" | "findings">): 0 | 1 | 2 {
  if (findings.some(({ severity }) => severity !== "notice")) return 1;
  const seen =
    nodes.some(({ make }) => make !== undefined) || matrix.some(({ cells }) => cells.some(({ state }) => state !== "not-looked"));
  return seen ? 0 : 2;
}

/** What could not be looked at: equal reasons together. */
function gapsText({ gaps, rules }: DoctorReport, { paint, symbols, columns }: Look): string {
  const groups = new Map<string, string[]>();
  for (const { node, what, why } of gaps) {
    const key = `${what}: ${why}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [node ?? "the farm"]);
    else group.push(node ?? "the farm");
  }
  const lines = [...groups].map(([reason, nodes]) => `${nameHosts([...new Set(nodes)], 4)}: ${brief(reason)}`);
  const failed = rules.filter(({ status }) => status === "failed").map(({ code, why = "" }) => `rule ${brief(code)} failed: ${brief(why)}`);
  const blind = rules.filter(({ status }) => status === "could-not-look").map(({ code }) => code);
  const all = [
    ...lines,
    ...failed,
    ...(blind.length === 0 ? [] : [`${count(blind.length, "rule")} had too little to go by (--json says what each needs)`]),
  ];
  if (all.length === 0) return "";
  const more = all.length > MOST_GAPS ? [`and ${all.length - MOST_GAPS} more`] : [];
  const told = [...all.slice(0, MOST_GAPS), ...more].flatMap((line) => wrap(line, Math.max(40, columns ?? PAGE_COLUMNS) - 4));
  return `${paint("yellow", symbols.warn)} Could not be looked at:\n${told.map((line) => `  ${line}\n`).join("")}`;
}

function nextText(next: readonly string[], { symbols }: Look): string {
  return next.map((command) => `${symbols.next} ${clean(command)}\n`).join("");
}
