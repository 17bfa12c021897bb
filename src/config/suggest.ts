/** Words of other servers' configuration files and what they are called here. */
const SYNONYMS: Readonly<Record<string, readonly string[]>> = {
  servername: ["host", "bindings"],
  hostname: ["host"],
  hostheader: ["host"],
  listen: ["bindings", "addresses"],
  binding: ["bindings"],
  root: ["content"],
  physicalpath: ["content"],
  proxypass: ["proxy"],
  reverseproxy: ["proxy"],
  return: ["redirect"],
  redir: ["redirect"],
  sslcertificate: ["certificate"],
  sslprotocols: ["minVersion"],
  ssl: ["tls"],
  sslflags: ["sni"],
  ip: ["address"],
  server: ["nodes"],
  servers: ["nodes"],
  loadbalancer: ["balancer"],
};

/** Longer words are not compared: the work is the product of both lengths. */
const LONGEST = 60;

const plain = (word: string): string => word.toLowerCase().replaceAll(/[-_ .]/g, "");

/** Optimal string alignment distance: insertions, deletions, replacements and swaps of neighbours. */
function editDistance(a: string, b: string): number {
  const width = b.length + 1;
  const table = new Uint8Array((a.length + 1) * width);
  const at = (i: number, j: number): number => table[i * width + j] ?? 0;
  for (let i = 0; i <= a.length; i++) {
    for (let j = 0; j <= b.length; j++) table[i * width + j] = i === 0 || j === 0 ? i + j : cheapest(a, b, { i, j, at });
  }
  return at(a.length, b.length);
}

function cheapest(
  a: string,
  b: string,
  cell: { readonly i: number; readonly j: number; readonly at: (i: number, j: number) => number },
): number {
  const { i, j, at } = cell;
  const replaced = at(i - 1, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1);
  const best = Math.min(at(i - 1, j) + 1, at(i, j - 1) + 1, replaced);
  const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
  return swapped ? Math.min(best, at(i - 2, j - 2) + 1) : best;
}

/** How far two words are apart; 0.5 when one begins with the other (`sni_required`, `sni`). */
function distance(word: string, known: string): number {
  if (word === known) return 0;
  if (Math.min(word.length, known.length) >= 3 && (word.startsWith(known) || known.startsWith(word))) return 0.5;
  return editDistance(word, known);
}

/**
 * The known word that was probably meant, or undefined when none is near: at most a third of the letters may differ
 * (case, `-` and `_` do not count). Ties go to the word that is listed first.
 */
export function suggest(word: string, known: readonly string[]): string | undefined {
  const wanted = plain(word.slice(0, LONGEST));
  const synonym = (Object.hasOwn(SYNONYMS, wanted) ? (SYNONYMS[wanted] ?? []) : []).find((each) => known.includes(each));
  if (synonym !== undefined) return synonym;
  let best: { readonly word: string; readonly distance: number } | undefined;
  for (const candidate of known) {
    const found = distance(wanted, plain(candidate));
    const allowed = Math.max(1, Math.floor(Math.max(wanted.length, candidate.length) / 3));
    if (found <= allowed && (best === undefined || found < best.distance)) best = { word: candidate, distance: found };
  }
  return best?.word;
}
