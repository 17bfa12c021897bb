/** What a brace of Lua code can hide in: comments, long texts, texts. */
const HIDING = /--\[(=*)\[|--|\[(=*)\[|["'{}]/g;

/** Where the block that was opened before `start` ends: the place of its `}`, or -1. Follows Lua's own comments and texts. */
export function endOfLua(text: string, start: number): number {
  let depth = 1;
  let at = start;
  for (;;) {
    HIDING.lastIndex = at;
    const found = HIDING.exec(text);
    if (found === null) return -1;
    const [piece, comment, long] = found;
    if (piece === "{") depth += 1;
    if (piece === "}") {
      depth -= 1;
      if (depth === 0) return found.index;
    }
    at = afterPiece(text, found.index, { piece, level: comment ?? long });
    if (at < 0) return -1;
  }
}

function afterPiece(text: string, index: number, { piece, level }: { piece: string; level: string | undefined }): number {
  const after = index + piece.length;
  if (piece === "{" || piece === "}") return after;
  if (level !== undefined) return behind(text, `]${level}]`, after);
  if (piece === "--") return behind(text, "\n", after);
  let at = after;
  while (at < text.length && text[at] !== piece) at += text[at] === "\\" ? 2 : 1;
  return at < text.length ? at + 1 : -1;
}

function behind(text: string, mark: string, from: number): number {
  const at = text.indexOf(mark, from);
  return at < 0 ? -1 : at + mark.length;
}
