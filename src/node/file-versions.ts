import { LRUCache } from "lru-cache";

/**
 * Counts how often certificate files changed. A file may change without its leaf (another intermediate, say): the thumbprint alone
 * would not show it.
 */
export interface FileVersions {
  note(files: readonly string[]): void;
  of(file: string): number;
}

/** Files remembered; one that is forgotten starts at 0 again, which at worst makes its TLS context once more. */
const REMEMBERED = 20_000;

/** No changes yet. */
export function createFileVersions(): FileVersions {
  const versions = new LRUCache<string, number>({ max: REMEMBERED });
  let changes = 0;
  return {
    note(files) {
      for (const file of files) versions.set(file, (changes += 1));
    },
    of: (file) => versions.get(file) ?? 0,
  };
}
