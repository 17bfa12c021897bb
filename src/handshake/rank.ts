import type { Instant } from "../base/index.ts";
import type { KeyType } from "../pki/index.ts";
import type { LeafFacts } from "./types.ts";

/** A file that can be used and what its leaf says. */
export interface UsableFile {
  readonly file: string;
  readonly leaf: LeafFacts;
}

/** Whether a leaf is valid at a moment; both ends belong to the validity (RFC 5280 section 4.1.2.5). */
export function validAt(leaf: LeafFacts, now: Instant): boolean {
  return leaf.notBefore <= now && now <= leaf.notAfter;
}

/**
 * Which of two files of one class is served: valid now before not valid, then the later notAfter, then the smaller thumbprint,
 * then the file's name (two files may hold one certificate). A total order: the outcome never depends on the order of a listing.
 */
export function compareUsable(a: UsableFile, b: UsableFile, now: Instant): number {
  const validity = Number(validAt(b.leaf, now)) - Number(validAt(a.leaf, now));
  if (validity !== 0) return validity;
  if (a.leaf.notAfter !== b.leaf.notAfter) return b.leaf.notAfter - a.leaf.notAfter;
  return compareText(a.leaf.thumbprint, b.leaf.thumbprint) || compareText(a.file, b.file);
}

/** The files that are offered: the best of each key type. An invalid one is never offered beside a valid one. */
export function bestPerKeyType(files: readonly UsableFile[], now: Instant): readonly UsableFile[] {
  const ranked = files.length > 1 ? [...files].sort((a, b) => compareUsable(a, b, now)) : files;
  const first = ranked[0];
  if (first === undefined) return [];
  const valid = validAt(first.leaf, now);
  const best: UsableFile[] = [];
  const taken = new Set<KeyType>();
  for (const candidate of ranked) {
    if (taken.has(candidate.leaf.keyType) || validAt(candidate.leaf, now) !== valid) continue;
    taken.add(candidate.leaf.keyType);
    best.push(candidate);
  }
  return best;
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
