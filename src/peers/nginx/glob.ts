type Piece = { readonly star: true } | { readonly star: false; readonly fits: (char: string) => boolean };

/** Whether a path fits a pattern of glob(7): `*`, `?` and `[a-z]` stand for anything but `/`. Time is bounded by the product of both lengths. */
export function matchesGlob(pattern: string, path: string): boolean {
  const pieces = piecesOf(pattern);
  let at = 0;
  let piece = 0;
  let retry: { readonly piece: number; at: number } | undefined;
  while (at < path.length || piece < pieces.length) {
    const current = pieces[piece];
    const char = path[at];
    if (current?.star === true) {
      retry = { piece, at };
      piece += 1;
    } else if (current !== undefined && char !== undefined && current.fits(char)) {
      piece += 1;
      at += 1;
    } else if (retry !== undefined && retry.at < path.length && path[retry.at] !== "/") {
      retry.at += 1;
      at = retry.at;
      piece = retry.piece + 1;
    } else return false;
  }
  return true;
}

function piecesOf(pattern: string): readonly Piece[] {
  const pieces: Piece[] = [];
  for (let at = 0; at < pattern.length; at += 1) {
    const char = pattern[at] ?? "";
    const close = char === "[" ? pattern.indexOf("]", at + 2) : -1;
    if (char === "*") pieces.push({ star: true });
    else if (char === "?") pieces.push({ star: false, fits: (each) => each !== "/" });
    else if (close > 0) {
      pieces.push({ star: false, fits: charClass(pattern.slice(at + 1, close)) });
      at = close;
    } else pieces.push({ star: false, fits: (each) => each === char });
  }
  return pieces;
}

/** `a-z0`, `!a`: what stands between brackets. */
function charClass(text: string): (char: string) => boolean {
  const negated = text.startsWith("!") || text.startsWith("^");
  const members = negated ? text.slice(1) : text;
  const ranges: (readonly [string, string])[] = [];
  for (let at = 0; at < members.length; at += 1) {
    const from = members[at] ?? "";
    const to = members[at + 1] === "-" ? members[at + 2] : undefined;
    ranges.push([from, to ?? from]);
    if (to !== undefined) at += 2;
  }
  return (char) => char !== "/" && ranges.some(([from, to]) => char >= from && char <= to) !== negated;
}
