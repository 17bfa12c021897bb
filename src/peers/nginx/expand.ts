import { posix } from "node:path";

import { invalid } from "../invalid.ts";
import { LIMITS } from "../limits.ts";
import type { Budget } from "../budget.ts";
import type { Notes } from "../notes.ts";
import type { ConfigFile, FindFiles } from "../types.ts";
import { parseDirectives, type Directive } from "./directives.ts";

/** What expanding needs, and what it counts against the limits. */
interface Expansion {
  readonly folder: string;
  readonly find: FindFiles;
  readonly notes: Notes;
  readonly budget: Budget;
}

/**
 * The directives of a file with those of its includes in their place. Relative includes are looked for beside the main file, as nginx does.
 * An include that names nothing is a note: copies of a configuration are seldom whole.
 * @throws PEER_CONFIG_INVALID for a text that is wrong, or one over the limits
 */
export async function expandDirectives(
  main: ConfigFile,
  { find, notes, budget }: Pick<Expansion, "find" | "notes" | "budget">,
): Promise<readonly Directive[]> {
  return parseAndExpand(main, { folder: posix.dirname(main.path), find, notes, budget }, 0);
}

async function parseAndExpand(file: ConfigFile, expansion: Expansion, depth: number): Promise<readonly Directive[]> {
  const start = { path: file.path, line: 1 };
  expansion.budget.spend("files", 1, start);
  expansion.budget.spend("characters", file.text.length, start);
  if (depth > LIMITS.includes) throw invalid(file.path, 1, `includes nest deeper than ${LIMITS.includes}; does a file include itself?`);
  return expandAll(parseDirectives(file), expansion, depth);
}

async function expandAll(directives: readonly Directive[], expansion: Expansion, depth: number): Promise<readonly Directive[]> {
  const expanded: Directive[] = [];
  for (const directive of directives) {
    const { name, block } = directive;
    if (name === "include" && block === undefined) {
      for (const each of await included(directive, expansion, depth)) expanded.push(each);
    } else expanded.push(block === undefined ? directive : { ...directive, block: await expandAll(block, expansion, depth) });
  }
  return expanded;
}

async function included({ args, path, line }: Directive, expansion: Expansion, depth: number): Promise<readonly Directive[]> {
  const [pattern, ...rest] = args;
  if (pattern === undefined || rest.length > 0) throw invalid(path, line, "include takes one path");
  const files = await expansion.find(resolvePath(expansion.folder, pattern));
  if (files.length === 0 && !/[*?[]/.test(pattern)) expansion.notes.add(path, line, `${pattern} was not there to be read`);
  const directives: Directive[] = [];
  for (const file of files) for (const each of await parseAndExpand(file, expansion, depth + 1)) directives.push(each);
  return directives;
}

/** A path as nginx takes it: relative ones are beside the main file. */
export const resolvePath = (folder: string, path: string): string =>
  posix.isAbsolute(path) || /^[A-Za-z]:/.test(path) ? path : posix.join(folder, path);
