import type { ConfigFile } from "../types.ts";
import { matchesGlob } from "./glob.ts";

const MARK = /^# configuration file (.+):\r?$/gm;

/** What `nginx -T` prints: every file of the configuration, the main one first; undefined when a text is not such a dump. */
export function splitDump({ text }: ConfigFile): readonly [ConfigFile, ...ConfigFile[]] | undefined {
  const marks = [...text.matchAll(MARK)];
  const files = marks.map((mark, index) => ({
    path: mark[1] ?? "",
    text: text.slice(mark.index + mark[0].length + 1, marks[index + 1]?.index ?? text.length),
  }));
  const [main, ...others] = files;
  if (main === undefined || !isPreface(text.slice(0, marks[0]?.index))) return undefined;
  return [main, ...others];
}

/** What may stand before the first mark: `nginx: the configuration file ... syntax is ok`. */
const isPreface = (text: string): boolean => text.split("\n").every((line) => line.trim() === "" || line.startsWith("nginx: "));

/** Those files of a dump that a pattern names, in the order of the dump, which is that of nginx. */
export const findInDump = (files: readonly ConfigFile[], pattern: string): readonly ConfigFile[] =>
  files.filter(({ path }) => path === pattern || matchesGlob(pattern, path));
