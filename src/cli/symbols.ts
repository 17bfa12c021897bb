import type { Terminal } from "./host.ts";

/** Signs of reports: they say the same without colour. */
export interface Symbols {
  readonly good: string;
  readonly bad: string;
  readonly warn: string;
  readonly differs: string;
  readonly none: string;
  readonly notice: string;
  readonly next: string;
  /** Text as the terminal can show it. */
  readonly fit: (text: string) => string;
}

const UNICODE: Symbols = { good: "✓", bad: "✗", warn: "!", differs: "≠", none: "·", notice: "i", next: "→", fit: (text) => text };

const PLAIN_SIGNS: Readonly<Record<string, string>> = { "…": "~", "×": "x", "→": ">", "✓": "+", "✗": "x", "≠": "!", "·": "-" };
const ASCII: Symbols = {
  good: "ok",
  bad: "X",
  warn: "!",
  differs: "<>",
  none: "-",
  notice: "i",
  next: "->",
  fit: (text) => text.replaceAll(/[…×→✓✗≠·]/g, (sign) => PLAIN_SIGNS[sign] ?? sign),
};

/**
 * Signs of Unicode, unless the terminal has none: the Linux console (its font), a dumb one, or a locale that names another character set
 * (POSIX: LC_ALL before LC_CTYPE before LANG).
 */
export function createSymbols(terminal: Terminal, environment: Readonly<Record<string, string | undefined>>): Symbols {
  const set = (name: string): string => environment[name] ?? "";
  const locale = set("LC_ALL") || set("LC_CTYPE") || set("LANG");
  const poor = terminal.isTerminal && ["linux", "dumb"].includes(set("TERM"));
  return poor || (locale !== "" && !/utf-?8/i.test(locale)) ? ASCII : UNICODE;
}
