import { invalid, shown } from "../invalid.ts";
import { LIMITS } from "../limits.ts";
import type { ConfigFile } from "../types.ts";
import { tokensOf, type Token } from "./tokens.ts";

/** A directive of nginx: its name, its arguments, and what is in its block. */
export interface Directive {
  readonly name: string;
  readonly args: readonly string[];
  readonly path: string;
  readonly line: number;
  readonly block?: readonly Directive[];
}

interface Open {
  readonly into: Directive[];
  readonly name: string;
  readonly line: number;
}

/**
 * The directives of one file. A file is whole: nginx does not let a block begin in one file and end in another.
 * @throws PEER_CONFIG_INVALID with the line
 */
export function parseDirectives(file: ConfigFile): readonly Directive[] {
  const { path } = file;
  const top: Directive[] = [];
  const open: Open[] = [{ into: top, name: "", line: 1 }];
  let words: Token[] = [];
  let line = 1;
  for (const token of tokensOf(file)) {
    line = token.line;
    if (token.kind === "word") {
      words.push(token);
      continue;
    }
    if (token.kind === "}") closeBlock(file, open, { words, line });
    else addDirective(file, open, { words, token });
    words = [];
  }
  const [first] = words;
  if (first !== undefined) throw invalid(path, line, `${shown(first.text)} has no ";" or "{" behind it`);
  const last = open.at(-1);
  if (last !== undefined && open.length > 1) throw invalid(path, last.line, `the block of ${shown(last.name)} has no closing "}"`);
  return top;
}

function closeBlock({ path }: ConfigFile, open: Open[], { words, line }: { words: readonly Token[]; line: number }): void {
  const [first] = words;
  if (first !== undefined) throw invalid(path, first.line, `${shown(first.text)} has no ";" behind it`);
  if (open.length === 1) throw invalid(path, line, 'unexpected "}"');
  open.pop();
}

function addDirective({ path }: ConfigFile, open: Open[], { words, token }: { words: readonly Token[]; token: Token }): void {
  const [first, ...rest] = words;
  if (first === undefined) throw invalid(path, token.line, `unexpected ${shown(token.text)}`);
  const directive = { name: first.text, args: rest.map(({ text }) => text), path, line: first.line };
  const into = open.at(-1)?.into;
  if (token.kind === ";") {
    into?.push(directive);
    return;
  }
  if (open.length > LIMITS.blocks) throw invalid(path, token.line, `blocks nest deeper than ${LIMITS.blocks}`);
  const block: Directive[] = [];
  into?.push({ ...directive, block });
  open.push({ into: block, name: first.text, line: first.line });
}
