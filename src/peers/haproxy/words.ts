import { invalid } from "../invalid.ts";

/** A word of a line; `isVariable` when it depends on an environment variable, which is then in it as written. */
export interface Word {
  readonly text: string;
  readonly isVariable: boolean;
}

const BLANKS = /\s*/y;
const ENDS_WORD = /[\s#]/;
/** What may end a word, or mean something in it. */
const SPECIAL = /[\s#\\"'$]/g;
const ESCAPES: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t" };

/**
 * The words of one line, as HAProxy cuts them (its Configuration Manual, section 2.2): blanks part them, `#` begins a comment anywhere but
 * in quotes, `'` quotes all, `"` leaves `\` and environment variables, both may begin within a word. A line is never continued.
 * @throws PEER_CONFIG_INVALID for a quote that is not closed
 */
export function wordsOf(text: string, place: Place): readonly Word[] {
  const words: Word[] = [];
  let at = afterBlanks(text, 0);
  while (at < text.length && text[at] !== "#") {
    const { end, ...word } = wordAt(text, at, place);
    words.push(word);
    at = afterBlanks(text, end);
  }
  return words;
}

interface Place {
  readonly path: string;
  readonly line: number;
}

function afterBlanks(text: string, from: number): number {
  BLANKS.lastIndex = from;
  BLANKS.exec(text);
  return BLANKS.lastIndex;
}

function wordAt(text: string, start: number, { path, line }: Place): Word & { readonly end: number } {
  const pieces: string[] = [];
  let [at, quote, isVariable] = [start, "", false];
  for (;;) {
    const plain = plainUntil(text, at);
    pieces.push(text.slice(at, plain));
    at = plain;
    if (at >= text.length || (quote === "" && ENDS_WORD.test(text[at] ?? ""))) break;
    const step = stepAt(text, at, quote);
    pieces.push(step.text);
    quote = step.quote;
    isVariable ||= step.isVariable;
    at = step.next;
  }
  if (quote !== "") throw invalid(path, line, `a quote (${quote}) is not closed`);
  return { text: pieces.join(""), isVariable, end: at };
}

/** The place of the next character that may mean something, or the end. */
function plainUntil(text: string, from: number): number {
  SPECIAL.lastIndex = from;
  return SPECIAL.exec(text)?.index ?? text.length;
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
