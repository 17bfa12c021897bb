import { invalid, shown } from "../invalid.ts";
import type { ConfigFile } from "../types.ts";
import { endOfLua } from "./lua-block.ts";

/** A piece of an nginx configuration. `line` counts from 1. */
export interface Token {
  readonly kind: "word" | ";" | "{" | "}";
  readonly text: string;
  readonly line: number;
}

const SPACE = /\s/;
const SPACES = /\s+/y;
const LINE_FEED = 0x0a;
/** What may end a word, or hide what would. */
const IN_WORD = /[\s;{\\$]/g;
const IN_QUOTES = /["'\\]/g;
const ESCAPES: Readonly<Record<string, string>> = { '"': '"', "'": "'", "\\": "\\", t: "\t", r: "\r", n: "\n" };

/**
 * The tokens of a file, as nginx itself cuts them (ngx_conf_file.c): words end at blanks, `;` and `{`; `"` and `'` quote only where a word
 * begins; `#` begins a comment only there; `${` does not end a word. Blocks of Lua are left out.
 * @throws PEER_CONFIG_INVALID for a quote that is not closed or not followed by a blank
 */
export function* tokensOf(file: ConfigFile): Generator<Token> {
  const { text } = file;
  let at = text.startsWith("\uFEFF") ? 1 : 0;
  let line = 1;
  let name: string | undefined;
  while (at < text.length) {
    const piece = pieceAt(file, at, line);
    if (piece.kind !== undefined) yield { kind: piece.kind, text: piece.text, line };
    const isLua = piece.kind === "{" && name?.endsWith("_by_lua_block") === true;
    const end = isLua ? luaEnd(file, { at: piece.end, line, name: name ?? "" }) : piece.end;
    if (piece.kind === "word") name ??= piece.text;
    else if (piece.kind !== undefined) name = undefined;
    line += countLines(text, at, end);
    at = end;
  }
}

/** What stands at a place; without a kind when it is a blank or a comment. */
interface Piece {
  readonly kind?: Token["kind"];
  readonly text: string;
  readonly end: number;
}

function pieceAt(file: ConfigFile, at: number, line: number): Piece {
  const { text } = file;
  const char = text[at] ?? "";
  if (SPACE.test(char)) {
    SPACES.lastIndex = at;
    SPACES.exec(text);
    return { text: "", end: SPACES.lastIndex };
  }
  if (char === "#") {
    const end = text.indexOf("\n", at);
    return { text: "", end: end < 0 ? text.length : end };
  }
  if (char === ";" || char === "{" || char === "}") return { kind: char, text: char, end: at + 1 };
  return { kind: "word", ...(char === '"' || char === "'" ? quotedWord(file, at, line) : plainWord(text, at)) };
}

function luaEnd({ path, text }: ConfigFile, { at, line, name }: { at: number; line: number; name: string }): number {
  const end = endOfLua(text, at);
  if (end < 0) throw invalid(path, line, `the block of ${name} has no closing "}"`);
  return end;
}

interface Word {
  readonly text: string;
  readonly end: number;
}

function plainWord(text: string, start: number): Word {
  let at = start;
  for (;;) {
    const end = nextOf(IN_WORD, text, at);
    const char = text[end];
    if (char === "\\") at = end + 2;
    else if (char === "$") at = end + (text[end + 1] === "{" ? 2 : 1);
    else return { text: unescape(text.slice(start, end)), end };
  }
}

function quotedWord({ path, text }: ConfigFile, start: number, line: number): Word {
  const quote = text[start] ?? "";
  let at = nextOf(IN_QUOTES, text, start + 1);
  while (at < text.length && text[at] !== quote) at = nextOf(IN_QUOTES, text, at + (text[at] === "\\" ? 2 : 1));
  if (at >= text.length) throw invalid(path, line, `the quote before ${shown(text.slice(start + 1, start + 30))} is not closed`);
  const next = text[at + 1];
  if (next !== undefined && !/[\s;{)]/.test(next))
    throw invalid(path, line, `a blank is missing after ${shown(text.slice(start, at + 1))}`);
  return { text: unescape(text.slice(start + 1, at)), end: at + 1 };
}

/** The place of the next character that an expression finds, or the end. */
function nextOf(expression: RegExp, text: string, from: number): number {
  expression.lastIndex = from;
  return from < text.length ? (expression.exec(text)?.index ?? text.length) : text.length;
}

const unescape = (text: string): string =>
  text.includes("\\") ? text.replaceAll(/\\(["'\\trn])/g, (_, char: string) => ESCAPES[char] ?? char) : text;

function countLines(text: string, from: number, to: number): number {
  let count = 0;
  for (let at = from; at < to; at += 1) if (text.charCodeAt(at) === LINE_FEED) count += 1;
  return count;
}
