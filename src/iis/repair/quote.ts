const PLAIN = /[\x20-\x7e]+/g;

/**
 * Text as a PowerShell expression that is this text and nothing else, in ASCII: `'it''s'`, `('a' + [char]0x2019 + 'b')`.
 * Single quotes are doubled, so nothing in it is expanded. What is not printable ASCII is written by its number: line ends, and the
 * typographic quotes U+2018 to U+201B, each of which PowerShell takes for a single quote. NUL, which no Windows text can hold, is left out.
 */
export function quote(text: string): string {
  const pieces: string[] = [];
  let at = 0;
  for (const match of text.matchAll(PLAIN)) {
    pieces.push(...numbers(text.slice(at, match.index)), verbatim(match[0]));
    at = match.index + match[0].length;
  }
  pieces.push(...numbers(text.slice(at)));
  const [first, ...others] = pieces;
  if (first === undefined) return "''";
  if (others.length === 0 && first.startsWith("'")) return first;
  // A sum that begins with a text is a text.
  return `(${(first.startsWith("'") ? pieces : ["''", ...pieces]).join(" + ")})`;
}

const verbatim = (text: string): string => `'${text.replaceAll("'", "''")}'`;

const numbers = (text: string): string[] =>
  text
    .split("")
    .map((unit) => unit.charCodeAt(0))
    .filter((unit) => unit !== 0)
    .map((unit) => `[char]0x${unit.toString(16).padStart(4, "0")}`);
