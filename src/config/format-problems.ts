import type { ConfigProblem } from "./types.ts";

/** Source lines are cut to this many characters around the place. */
const WIDTH = 120;

/**
 * Problems for people, one block each: `farm.yaml:12:7 error unknown key "sni_required" (did you mean "sni"?)`, the source line, and a
 * caret below the place. Control characters of the source are shown as `?`.
 */
export function formatProblems(file: string, problems: readonly ConfigProblem[], yamlText: string): string {
  const lines = yamlText.split(/\r\n|\n|\r/);
  return problems.map((problem) => formatProblem(file, problem, lines[problem.line - 1])).join("\n");
}

function formatProblem(file: string, problem: ConfigProblem, source: string | undefined): string {
  const meant = problem.suggestion === undefined ? "" : ` (did you mean ${JSON.stringify(problem.suggestion)}?)`;
  const head = `${file}:${problem.line}:${problem.column} ${problem.severity} ${problem.message}${meant}`;
  if (source === undefined || source.trim() === "") return head;
  const start = Math.max(0, problem.column - 1 - WIDTH / 2);
  const shown = source.slice(start, start + WIDTH).replaceAll(/\p{Cc}|\p{Cf}/gu, (char) => (char === "\t" ? " " : "?"));
  const gutter = String(problem.line);
  return [head, `  ${gutter} | ${shown}`, `  ${" ".repeat(gutter.length)} | ${" ".repeat(problem.column - 1 - start)}^`].join("\n");
}
