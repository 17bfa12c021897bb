import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

import { Language, Parser, type Node, type Tree } from "web-tree-sitter";

const require = createRequire(import.meta.url);

/** A place where a script does not follow PowerShell's grammar. */
export interface SyntaxFault {
  readonly line: number;
  readonly text: string;
}

/** What a test asks of a script. */
export interface PowershellParser {
  readonly errors: (script: string) => readonly SyntaxFault[];
  /** Names of all commands that the script runs, as written. */
  readonly commands: (script: string) => readonly string[];
  /** The values of all texts in single quotes, and of sums of such texts and `[char]` numbers. */
  readonly values: (script: string) => readonly string[];
}

/** Parses with the grammar of tree-sitter-powershell; loaded once. */
export async function powershellParser(): Promise<PowershellParser> {
  await Parser.init();
  const parser = new Parser();
  parser.setLanguage(await Language.load(readFileSync(require.resolve("tree-sitter-powershell/tree-sitter-powershell.wasm"))));
  let last: { readonly script: string; readonly tree: Tree } | undefined;
  const tree = (script: string): Node => {
    if (last?.script === script) return last.tree.rootNode;
    last?.tree.delete();
    const parsed = parser.parse(script);
    if (parsed === null) throw new Error("the grammar gave no tree");
    last = { script, tree: parsed };
    return parsed.rootNode;
  };
  const texts = (script: string, type: string[]): readonly string[] =>
    tree(script)
      .descendantsOfType(type)
      .flatMap((node) => (node === null ? [] : [node.text]));
  return {
    errors: (script) => errorsIn(tree(script)),
    commands: (script) => texts(script, ["command_name", "command_name_expr"]),
    values: (script) =>
      [...script.matchAll(/\((?:'(?:[^']|'')*'|\[char\]0x[0-9a-f]{4}| \+ )+\)|'(?:[^']|'')*'/g)].map(([text]) => valueOf(text)),
  };
}

function errorsIn(node: Node): readonly SyntaxFault[] {
  if (!node.hasError) return [];
  if (node.isError || node.isMissing) return [{ line: node.startPosition.row + 1, text: node.text.slice(0, 120) }];
  return node.children.flatMap((child) => (child === null ? [] : errorsIn(child)));
}

/** What PowerShell makes of a text, or of a sum of texts and characters by number. */
function valueOf(expression: string): string {
  return [...expression.matchAll(/'((?:[^']|'')*)'|\[char\]0x([0-9a-f]{4})/g)]
    .map(([, text, number]) =>
      number === undefined ? (text ?? "").replaceAll("''", "'") : String.fromCharCode(Number.parseInt(number, 16)),
    )
    .join("");
}
