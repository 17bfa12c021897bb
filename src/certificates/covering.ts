import { wildcardOf, type HostName, type HostPattern } from "../base/index.ts";

/** A file's version and the names of its certificate that the file's own name does not promise. */
export interface Covered {
  readonly stamp: string;
  readonly names: readonly HostPattern[];
}

/** Which files cover hosts that their names do not promise. Bounded; learned from files that were read. */
export interface CoveringNames {
  /** Files whose certificates cover a host, by its own name or its wildcard. */
  filesFor(host: HostName): readonly string[];
  /** Remembers a file's names; true when a name is new. Past the bounds nothing is remembered. */
  learn(file: string, stamp: string, names: readonly HostPattern[]): boolean;
  /** True when the file covered something. */
  forget(file: string): boolean;
  get(file: string): Covered | undefined;
  readonly files: number;
  entries(): Iterable<readonly [string, Covered]>;
}

const MAX_NAMES_A_FILE = 500;
/** One certificate may have been copied to hundreds of files, each covering all the others' names: a few of them are enough. */
const MAX_FILES_A_NAME = 4;
const NONE: readonly never[] = [];

/** An empty index of at most `maxFiles` files and ten times as many names. */
export function createCoveringNames(maxFiles: number): CoveringNames {
  const byFile = new Map<string, Covered>();
  /** One file's name, or several: most names have one. */
  const byName = new Map<HostPattern, string | readonly string[]>();
  let total = 0;

  const filesOf = (name: HostPattern): readonly string[] => {
    const found = byName.get(name);
    return found === undefined ? NONE : typeof found === "string" ? [found] : found;
  };
  const drop = (name: HostPattern, file: string): void => {
    const rest = filesOf(name).filter((other) => other !== file);
    const only = rest.length === 1 ? rest[0] : rest;
    if (only === undefined || only.length === 0) byName.delete(name);
    else byName.set(name, only);
  };
  const forget = (file: string): boolean => {
    const former = byFile.get(file);
    if (former === undefined) return false;
    byFile.delete(file);
    total -= former.names.length;
    for (const name of former.names) drop(name, file);
    return former.names.length > 0;
  };
  return {
    filesFor(host) {
      const own = filesOf(host as unknown as HostPattern); // a HostName is a HostPattern
      const wildcard = wildcardOf(host);
      const wild = wildcard === undefined ? NONE : filesOf(wildcard);
      return own.length === 0 ? wild : wild.length === 0 ? own : [...new Set([...own, ...wild])];
    },
    learn(file, stamp, names) {
      const former = byFile.get(file);
      const fresh = names.some((name) => former?.names.includes(name) !== true);
      forget(file);
      const kept = names.length === 0 ? NONE : [...new Set(names)].slice(0, MAX_NAMES_A_FILE);
      if (byFile.size >= maxFiles || total + kept.length > maxFiles * 10) return false;
      byFile.set(file, { stamp, names: kept });
      total += kept.length;
      for (const name of kept) {
        const others = filesOf(name);
        if (others.length < MAX_FILES_A_NAME) byName.set(name, others.length === 0 ? file : [...others, file]);
      }
      return fresh;
    },
    forget,
    get: (file) => byFile.get(file),
    get files() {
      return byFile.size;
    },
    entries: () => byFile,
  };
}
