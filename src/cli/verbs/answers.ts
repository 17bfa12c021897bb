import { ERRORS, type ErrorCode } from "../../base/index.ts";
import type { ExitCode, Session } from "../session.ts";
import { clean } from "../text.ts";

/** What nodes answered, or why one did not. */
export type Answers<T> = readonly ({ readonly node: string } & (
  | { readonly kind: "answer"; readonly answer: T }
  | { readonly kind: "problem"; readonly problem: Problem }
))[];

interface Problem {
  readonly code: string;
  readonly message: string;
  readonly remedy: string;
}
/** The exit code for nodes that gave no answer; 0 when all did. */
export function codeOf(answers: Answers<unknown>): ExitCode {
  const problem = answers.find((answer) => answer.kind === "problem");
  if (problem === undefined) return 0;
  return Object.hasOwn(ERRORS, problem.problem.code) ? ERRORS[problem.problem.code as ErrorCode].exit : 2; // a key of the table
}

/** One node's problem, and what to do. */
export const problemText = ({ paint }: Session, node: string, { code, message, remedy }: Problem): string =>
  `${paint("red", "✗")} ${clean(node)}: ${clean(message)} (${code})\n  → ${clean(remedy)}\n`;

/** Input that names a node, if one is named. */
export const onNode = (node: string | undefined): { node?: string } => (node === undefined ? {} : { node });
