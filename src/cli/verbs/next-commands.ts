import type { DoctorReport } from "../reports/types.ts";
import { isHere, type LookOptions } from "./look.ts";

/** What to type after a report; empty when nothing was found. */
export function nextCommands(report: DoctorReport, options: LookOptions): readonly string[] {
  if (report.findings.length === 0) return [];
  const curable = report.findings.some(({ actions }) => actions.some((action) => action.do !== "manual"));
  const rule = report.findings.find(({ code }) => code !== "unexplained")?.code;
  return [
    ...(isHere(options) ? nextHere(report, curable, options) : curable ? ["certfarm repair --dry-run"] : []),
    ...(rule === undefined ? [] : [`certfarm doctor rule ${quote(rule)}`]),
  ];
}

function nextHere({ nodes }: DoctorReport, curable: boolean, { evidence }: LookOptions): readonly string[] {
  if (evidence === undefined)
    return ["certfarm iis collect > collect-evidence.ps1   (IIS: run it on each server, then: certfarm doctor --evidence FILE,…)"];
  if (!curable || nodes.every(({ make }) => make !== "iis")) return [];
  return [`certfarm repair --evidence ${evidence.map(quote).join(",")} --script scripts`];
}

/** A word as a POSIX shell takes it. */
function quote(word: string): string {
  return /^[\w./:@%+=-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
