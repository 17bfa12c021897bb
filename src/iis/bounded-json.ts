import { tooLarge } from "./decode-text.ts";

/** The forms that are read nest 6 deep. */
const MAX_DEPTH = 32;

/** A table of 10,000 rows has about 400,000 as JSON; an evidence file, in which the table is one text, 60,000, and 1,000,000 for a share of 200,000 files. */
const MAX_VALUES = 2_000_000;

/** JSON as a value, or where it breaks off being JSON. */
export type JsonReading = { readonly value: unknown } | { readonly problem: string };

/**
 * JSON.parse, which would take as much memory as a hostile text likes: depth and number of values are counted first.
 * @throws IIS_INPUT_TOO_LARGE that names the file
 */
export function parseBoundedJson(text: string, name: string): JsonReading {
  countValues(text, name);
  try {
    return { value: JSON.parse(text) as unknown };
  } catch (thrown) {
    return { problem: problemOf(thrown, text) };
  }
}

function countValues(text: string, name: string): void {
  let depth = 0;
  let values = 0;
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at];
    if (char === '"') at = endOfString(text, at);
    else if (char === "," || char === "{" || char === "[") {
      values += 1;
      if (char !== ",") depth += 1;
      if (depth > MAX_DEPTH) throw tooLarge(name, `nests deeper than ${MAX_DEPTH} levels`);
      if (values > MAX_VALUES) throw tooLarge(name, `has more than ${MAX_VALUES} values`);
    } else if (char === "}" || char === "]") depth -= 1;
  }
}

/** The place of the closing quote, or the text's end. */
function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at += 1) {
    if (text[at] === "\\") at += 1;
    else if (text[at] === '"') return at;
  }
  return text.length;
}

/** The engine quotes the text in its messages, so only the position is taken over. */
function problemOf(thrown: unknown, text: string): string {
  const position = thrown instanceof SyntaxError ? /position (\d+)/.exec(thrown.message)?.[1] : undefined;
  if (position === undefined) return text.trim() === "" ? "it is empty" : "it breaks off";
  const before = text.slice(0, Number(position));
  const line = before.split("\n").length;
  return `line ${line}, column ${before.length - before.lastIndexOf("\n")} is not JSON`;
}
