import { invalid, shown } from "../invalid.ts";
import type { Notes } from "../notes.ts";
import type { ConfigFile } from "../types.ts";
import { wordsOf, type Word } from "./words.ts";

/** A line of a section, without comments. */
export interface Line {
  readonly line: number;
  readonly name: string;
  readonly args: readonly Word[];
}

/** A section: `frontend www from web`. */
export interface Section {
  readonly kind: string;
  readonly name: string;
  /** The named defaults that it takes. */
  readonly from?: string;
  readonly line: number;
  readonly lines: readonly Line[];
}

/** Words that begin a section (Configuration Manual, sections 3 to 12). */
const KINDS = new Set(
  (
    "global defaults frontend listen backend peers mailers resolvers userlist cache program http-errors ring log-forward log-profile " +
    "crt-store fcgi-app traces acme dynamic-update"
  ).split(" "),
);

/**
 * The sections of a configuration. Conditions (`.if`) are not evaluated: all branches are taken, and a note says so.
 * @throws PEER_CONFIG_INVALID with the line
 */
export function sectionsOf({ path, text }: ConfigFile, notes: Notes): readonly Section[] {
  const sections: (Section & { readonly lines: Line[] })[] = [];
  const lines = text.replace(/^\uFEFF/, "").split("\n");
  for (const [index, raw] of lines.entries()) {
    const line = index + 1;
    const [first, ...args] = wordsOf(raw, { path, line });
    if (first === undefined) continue;
    const name = first.text;
    if (name === ".if") notes.add(path, line, "conditions are not evaluated: all branches are read");
    if (name.startsWith(".")) continue;
    if (KINDS.has(name)) sections.push({ kind: name, line, lines: [], ...headOf(args) });
    else {
      const section = sections.at(-1);
      if (section === undefined) throw invalid(path, line, `${shown(name)} stands before any section`);
      section.lines.push({ line, name, args });
    }
  }
  return sections;
}

/** `NAME`, `NAME from DEFAULTS`, `from DEFAULTS`. */
function headOf(args: readonly Word[]): Pick<Section, "name" | "from"> {
  const at = args.findIndex(({ text }) => text === "from");
  const from = at < 0 ? undefined : args[at + 1]?.text;
  return { name: at === 0 ? "" : (args[0]?.text ?? ""), ...(from === undefined ? {} : { from }) };
}
