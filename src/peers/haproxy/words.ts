import { invalid } from "../invalid.ts";

/** A word of a line; `isVariable` when it depends on an environment variable, which is then in it as written. */
export interface Word {
  readonly text: string;
  readonly isVariable: boolean;
}

const ESCAPES: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t" };

/**
 * The words of one line, as HAProxy cuts them (its Configuration Manual, section 2.2): blanks part them, `#` begins a comment anywhere but
 * in quotes, `'` quotes all, `"` leaves `\` and environment variables, both may begin within a word. A line is never continued.
 * @throws PEER_CONFIG_INVALID for a quote that is not closed
 */
export function wordsOf(text: string, place: { readonly path: string; readonly line: number }): readonly Word[] {
  const words: Word[] = [];
  let current: { text: string; isVariable: boolean } | undefined;
  let quote = "";
  let at = 0;
  while (at < text.length) {
    const char = text[at] ?? "";
    if (quote === "" && char === "#") break;
    if (quote === "" && /\s/.test(char)) {
      if (current !== undefined) words.push(current);
      current = undefined;
      at += 1;
      continue;
    }
    current ??= { text: "", isVariable: false };
    const step = stepAt(text, at, quote);
    quote = step.quote;
    current.text += step.text;
    current.isVariable ||= step.isVariable;
    at = step.next;
  }
  if (quote !== "") throw invalid(place.path, place.line, `a quote (${quote}) is not closed`);
  if (current !== undefined) words.push(current);
  return words;
}

interface Step {
  readonly text: string;
  readonly quote: string;
  readonly isVariable: boolean;
  readonly next: number;
}

function stepAt(text: string, at: number, quote: string): Step {
  if (quote === "'") return literalStep(text, at);
  const char = text[at] ?? "";
  if (char === "\\" && at + 1 < text.length) return { ...escaped(text, at), quote, isVariable: false };
  if (char === '"') return { text: "", quote: quote === "" ? char : "", isVariable: false, next: at + 1 };
  if (char === "'" && quote === "") return { text: "", quote: char, isVariable: false, next: at + 1 };
  return { text: char, quote, isVariable: quote === '"' && /^\$[A-Za-z_{]/.test(text.slice(at, at + 2)), next: at + 1 };
}

function literalStep(text: string, at: number): Step {
  const char = text[at] ?? "";
  const closes = char === "'";
  return { text: closes ? "" : char, quote: closes ? "" : "'", isVariable: false, next: at + 1 };
}

function escaped(text: string, at: number): { readonly text: string; readonly next: number } {
  const octet = /^x([0-9a-fA-F]{2})/.exec(text.slice(at + 1, at + 4))?.[1];
  if (octet !== undefined) return { text: String.fromCharCode(Number.parseInt(octet, 16)), next: at + 4 };
  const char = text[at + 1] ?? "";
  return { text: ESCAPES[char] ?? char, next: at + 2 };
}
