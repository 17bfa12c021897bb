import { formatPath, type ConfigPath, type YamlReading } from "./read-yaml.ts";
import type { ConfigProblem } from "./types.ts";

/** Problems are listed up to this number; a further one says how many there are. */
const MAX_PROBLEMS = 1_000;

/** Where checks put what they find. */
export interface Report {
  error(path: ConfigPath, message: string): void;
  warning(path: ConfigPath, message: string): void;
}

/** A report that collects problems with their places in the text. */
export function createReport(yaml: YamlReading): Report & { readonly problems: readonly ConfigProblem[] } {
  const problems: ConfigProblem[] = [];
  const add =
    (severity: ConfigProblem["severity"]) =>
    (path: ConfigPath, message: string): void => {
      problems.push({ ...yaml.locate(path, "value"), path: formatPath(path), message, severity });
    };
  return { problems, error: add("error"), warning: add("warning") };
}

/** In the order of the text, bounded. */
export function inOrder(problems: readonly ConfigProblem[]): readonly ConfigProblem[] {
  const sorted = problems.toSorted((a, b) => a.line - b.line || a.column - b.column || a.message.localeCompare(b.message, "en"));
  if (sorted.length <= MAX_PROBLEMS) return sorted;
  const last = sorted[MAX_PROBLEMS - 1];
  if (last === undefined) return sorted;
  const more = `and ${sorted.length - MAX_PROBLEMS + 1} more problems from here on`;
  return [...sorted.slice(0, MAX_PROBLEMS - 1), { line: last.line, column: last.column, path: "", message: more, severity: last.severity }];
}
