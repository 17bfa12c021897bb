import { parsePort } from "../base/index.ts";
import { tooLarge } from "./decode-text.ts";
import { MAX_LINES, MAX_LINE_LENGTH } from "./limits.ts";

/** What a value looks like, in any language. `empty`: there is a label and nothing after it. */
export type ValueShape = "endpoint" | "port" | "hash" | "guid" | "null" | "empty" | "other";

interface PartedLine {
  readonly text: string;
  /** Absent when no colon parts the line. */
  readonly label?: string;
  /** The whole text when there is no label. */
  readonly value: string;
  readonly shape: ValueShape;
}

/** A line that is not blank. */
export interface NetshLine extends PartedLine {
  /** From 1. */
  readonly number: number;
}

const ENDPOINT = /^(?:\[[0-9a-f:.]+(?:%\w+)?\]|[^\s:[\]]+):(\d{1,5})$/i;
const HASH = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/i;
/** The last group has 11 digits in an example of Microsoft's own. */
const GUID = /^\{[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{11,12}\}$/i;

/** What a value looks like. */
export function shapeOf(value: string): ValueShape {
  if (value === "") return "empty";
  if (value === "(null)") return "null";
  if (HASH.test(value)) return "hash";
  if (GUID.test(value)) return "guid";
  if (parsePort(value) !== undefined) return "port";
  return parsePort(ENDPOINT.exec(value)?.[1] ?? "") === undefined ? "other" : "endpoint";
}

/** Different lines that are remembered: those of a table repeat from row to row. */
const MAX_KNOWN = 4_096;

/**
 * The lines that are not blank, parted into label and value.
 * @throws IIS_INPUT_TOO_LARGE that names the file
 */
export function* netshLines(text: string, name: string): Generator<NetshLine, void, undefined> {
  const known = new Map<string, PartedLine>();
  let number = 0;
  let yielded = 0;
  for (let start = 0; start < text.length;) {
    const feed = text.indexOf("\n", start);
    const end = feed < 0 ? text.length : feed;
    const raw = text.slice(start, Math.min(end, start + MAX_LINE_LENGTH));
    const whole = end - start <= MAX_LINE_LENGTH;
    number += 1;
    start = end + 1;
    const parted = known.get(raw) ?? partLine(trimPasted(raw), whole);
    if (known.size < MAX_KNOWN && whole) known.set(raw, parted);
    if (parted.text === "") continue;
    if (yielded === MAX_LINES) throw tooLarge(name, `has more than ${MAX_LINES} lines with text`);
    yielded += 1;
    yield { number, ...parted };
  }
}

/** Signs that mail programs, wikis and terminals put around pasted text. */
const PASTED = new Set(["`", "|", "\u0000"]);

/** By hand: an expression that ends in `$` takes the square of the time on long runs of blanks. */
function trimPasted(line: string): string {
  let from = 0;
  let to = line.length;
  while (from < to && (line[from] === ">" || isMargin(line[from]))) from += 1;
  while (to > from && isMargin(line[to - 1])) to -= 1;
  return line.slice(from, to);
}

const isMargin = (char: string | undefined): boolean => char !== undefined && (char === " " || PASTED.has(char) || /\s/.test(char));

/** The first colon with a blank beside it (or a full-width one) parts: `IP:port   : x`, `Name: MY`, `HTTP2 :Not Set`, `Magasin :       : MY`. */
function partLine(text: string, whole: boolean): PartedLine {
  if (!whole) return { text, value: text, shape: "other" };
  for (let at = text.search(/[:：]/); at >= 0; at = nextColon(text, at + 1)) {
    const before = text[at - 1];
    const after = text[at + 1];
    if (text[at] === ":" && !isBlank(before) && !isBlank(after)) continue;
    const value = text.slice(at).replace(/^[\s:：]+/, "");
    return { text, label: text.slice(0, at).trim(), value, shape: shapeOf(value) };
  }
  return { text, value: text, shape: shapeOf(text) };
}

function nextColon(text: string, from: number): number {
  for (let at = from; at < text.length; at += 1) if (text[at] === ":" || text[at] === "：") return at;
  return -1;
}

/** The start and the end of a line count as blanks. */
const isBlank = (char: string | undefined): boolean => char === undefined || /\s/.test(char);
