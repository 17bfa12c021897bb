import { styleText, stripVTControlCharacters } from "node:util";

import type { Terminal } from "./host.ts";

/** Colours of a terminal, or none. */
export interface Paint {
  (style: Parameters<typeof styleText>[0], text: string): string;
}

/** Colours only on a terminal, and not against NO_COLOR (no-color.org: any value but an empty one). */
export function createPaint(terminal: Terminal, environment: Readonly<Record<string, string | undefined>>): Paint {
  const off = !terminal.isTerminal || (environment["NO_COLOR"] ?? "") !== "" || environment["TERM"] === "dumb";
  return (style, text) => (off || text === "" ? text : styleText(style, text, { validateStream: false }));
}

/** What comes from files, certificates or clients, safe for a terminal: control and format characters, and what is no character, as `?`. */
export const clean = (text: string): string => text.replaceAll(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\uFFFE\uFFFF]/gu, "?");

const MOST_TEXT = 600;

/** The same, and no longer than a few lines: peers' texts may be of any length. */
export function brief(text: string): string {
  return clean(text.length > MOST_TEXT ? `${text.slice(0, MOST_TEXT)}…` : text);
}

/** JSON whose text is safe for a terminal too: what `clean` takes away stands there as an escape. */
export function jsonText(value: unknown, indent?: number): string {
  const escaped = (sign: string): string =>
    Array.from({ length: sign.length }, (_each, at) => `\\u${sign.charCodeAt(at).toString(16).padStart(4, "0")}`).join("");
  return JSON.stringify(value, null, indent).replaceAll(/[\u007f-\u009f\p{Cf}\p{Zl}\p{Zp}]/gu, escaped);
}

const WIDE =
  /^[\u1100-\u115F\u2E80-\u303E\u3041-\uA4CF\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE4F\uFF00-\uFF60\uFFE0-\uFFE6]|^\p{Emoji_Presentation}/u;
const PLAIN = /^[\u0020-\u007e]*$/;
const segments = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/** Columns that a text takes on a terminal: colours none, East Asian wide characters and emoji two, combining marks none of their own. */
export function displayWidth(text: string): number {
  const bare = stripVTControlCharacters(text);
  if (PLAIN.test(bare)) return bare.length;
  let width = 0;
  for (const { segment } of segments.segment(bare)) width += WIDE.test(segment) ? 2 : 1;
  return width;
}

/** The text cut to a width, with … at its end. Loses its colours when it is cut. */
export function fit(text: string, width: number): string {
  if (displayWidth(text) <= width) return text;
  let kept = "";
  let used = 0;
  for (const { segment } of segments.segment(stripVTControlCharacters(text))) {
    used += displayWidth(segment);
    if (used > width - 1) break;
    kept += segment;
  }
  return `${kept}…`;
}

/** A text and blanks up to a width. */
export const pad = (text: string, width: number): string => text + " ".repeat(Math.max(0, width - displayWidth(text)));

/** `3 s`, `5 min`, `2 h`, `4 days`. */
export function formatAge(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 100) return `${seconds} s`;
  if (seconds < 6_000) return `${Math.round(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86_400)} days`;
}

/** `1 host`, `2 hosts`. */
export const count = (many: number, one: string, several = `${one}s`): string => `${many} ${many === 1 ? one : several}`;

/** A moment in UTC to the second; certificates may say moments that a Date cannot hold. */
export function formatTime(ms: number): string {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? "unknown" : date.toISOString().replace(/\.\d+Z$/, "Z");
}
