import type { CentralFile } from "../doctor/index.ts";
import { tooLarge } from "./decode-text.ts";
import { MAX_LINES, MAX_LINE_LENGTH } from "./limits.ts";
import { present } from "./present.ts";

/** `24.11.2026  14:18`, `11/24/2026  02:18 PM`, `2026-11-24  오후 02:18`: a day and a time, in any order and language. */
const STAMP =
  /^\d{1,4}([./-])\d{1,2}\1\d{1,4}\.?\s+(?:[^\s\d<]{1,8}\s{1,3})?\d{1,2}[:.]\d{2}(?:[:.]\d{2})?(?:\s{0,3}[^\s\d<]{1,8})?\s+(?=[\d<])/u;

/** The mode that PowerShell shows before the day. */
const MODE = /^[dlarhs-]{5,7}\s+/i;

/** `4,294 www.example.com.pfx`; the mark between thousands is a comma, dot, apostrophe or a blank that does not break (`ÿ` where the code page is unknown). */
const FILE = /^(\d{1,3}(?:[.,'’\u00A0\u202Fÿ]\d{3})+|\d+)\s{1,3}(\S.*)$/u;

/** Where the path of a folder begins in a line, and whether all that follows is one: in two steps, or hostile lines would take long. */
const FOLDER_START = /(?:^|\s)(?=\\\\|[A-Z]:\\)/i;
const FOLDER = /^(?:\\\\[^\\/:*?"<>|]+\\|[A-Z]:\\)[^/:*?"<>|]*$/i;

/** Files of a folder as `dir` of the command prompt or of PowerShell lists them. */
export interface Listing {
  readonly location?: string;
  readonly files: readonly CentralFile[];
  /** Entries of any kind, folders as well: 0 = the text is no listing. */
  readonly entries: number;
}

/**
 * Reads a listing in any language. Days and times are left out: they are in the server's own zone and order. Only the first folder of the
 * text counts: central certificates are not looked for in folders below.
 * @throws IIS_INPUT_TOO_LARGE
 */
export function readListing(text: string, name: string): Listing {
  const files: CentralFile[] = [];
  let location: string | undefined;
  let entries = 0;
  let lines = 0;
  for (let start = 0; start < text.length;) {
    const feed = text.indexOf("\n", start);
    const end = feed < 0 ? text.length : feed;
    const line = text.slice(start, Math.min(end, start + MAX_LINE_LENGTH)).trim();
    start = end + 1;
    if (line === "") continue;
    lines += 1;
    if (lines > MAX_LINES) throw tooLarge(name, `has more than ${MAX_LINES} lines with text`);
    const entry = entryOf(line);
    if (entry === undefined) {
      const folder = folderOf(line);
      if (folder !== undefined && entries > 0) break;
      location ??= folder;
      continue;
    }
    entries += 1;
    if (entry !== "folder") files.push(entry);
  }
  return { ...present({ location }), files, entries };
}

function folderOf(line: string): string | undefined {
  const start = FOLDER_START.exec(line);
  const path = start === null ? "" : line.slice(start.index).trimStart();
  return FOLDER.test(path) ? path : undefined;
}

function entryOf(line: string): CentralFile | "folder" | undefined {
  const stamped = line.replace(MODE, "");
  const stamp = STAMP.exec(stamped);
  if (stamp === null) return undefined;
  const rest = stamped.slice(stamp[0].length);
  if (rest.startsWith("<")) return "folder";
  const [, size = "", name] = FILE.exec(rest) ?? [];
  return name === undefined ? undefined : { name, size: Number(size.replaceAll(/\D/g, "")) };
}
