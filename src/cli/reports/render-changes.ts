import type { Look } from "../look.ts";
import { brief, clean, count, formatTime } from "../text.ts";
import { cellFace } from "./cell-face.ts";
import { isUnchanged, type ReportChanges } from "./compare-reports.ts";
import type { Cell, Finding } from "./types.ts";

const MOST_CELLS = 20;
const MOST_FINDINGS = 30;

/** What changed, a line each; every line starts with the moment when `stamped`. Empty when nothing did. */
export function renderChanges(changes: ReportChanges, look: Look, stamped: boolean): string {
  const { paint, symbols } = look;
  const start = stamped ? `${formatTime(changes.at)}  ` : "  ";
  const told = (sign: string, what: string, findings: readonly Finding[]): readonly string[] => [
    ...findings.slice(0, MOST_FINDINGS).map(({ summary, code, id }) => `${sign} ${what} ${brief(summary)} (${brief(code)} ${brief(id)})`),
    ...(findings.length > MOST_FINDINGS ? [`${sign} ${what} ${count(findings.length - MOST_FINDINGS, "more finding")}`] : []),
  ];
  const cells = changes.cells
    .slice(0, MOST_CELLS)
    .map(
      ({ host, node, before, after }) =>
        `${symbols.differs} ${brief(host)} on ${brief(node)}: ${faceText(before, look)} ${symbols.next} ${faceText(after, look)}${certificateText(before, after)}`,
    );
  const lines = [
    ...told(paint("red", symbols.bad), "new:", changes.appeared),
    ...told(paint("yellow", symbols.warn), "changed:", changes.changed),
    ...told(paint("green", symbols.good), "gone:", changes.gone),
    ...cells,
    ...(changes.cells.length > MOST_CELLS ? [`${symbols.differs} ${count(changes.cells.length - MOST_CELLS, "more cell")} changed`] : []),
  ];
  return symbols.fit(lines.map((line) => `${start}${line}\n`).join(""));
}

function faceText(cell: Cell | undefined, { paint, symbols }: Look): string {
  if (cell === undefined) return "not looked at";
  const { mark, word } = cellFace(cell);
  return mark === "good" ? paint("green", `${symbols.good} good`) : paint("red", `${symbols[mark]} ${word}`);
}

/** A certificate that took another's place while all is well. */
function certificateText(before: Cell | undefined, after: Cell | undefined): string {
  const [old, now] = [before?.thumbprint, after?.thumbprint];
  if (old === undefined || now === undefined || old === now) return "";
  const until = after?.notAfter === undefined ? "" : ` valid until ${formatTime(after.notAfter)}`;
  return `, certificate ${clean(old.slice(0, 8))} replaced by ${clean(now.slice(0, 8))}${until}`;
}

/** The section of `--since`. */
export function renderSince(changes: ReportChanges, look: Look): string {
  const head = `Since ${formatTime(changes.since)}:`;
  return isUnchanged(changes) ? `${head} nothing changed\n` : `${head}\n${renderChanges(changes, look, false)}`;
}
