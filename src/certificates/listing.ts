import { setImmediate } from "node:timers/promises";

import type { HostPattern } from "../base/index.ts";
import { canonicalKeyName, canonicalStem, parseFileName } from "../pki/index.ts";
import { NameSet } from "./name-set.ts";

/** What differs between two looks at the folder. */
export interface ListingChange {
  readonly added: readonly string[];
  readonly removed: readonly string[];
}

// Canonical as it stands: what the index would make of it is the name itself.
const CANONICAL = /^[a-z0-9_][a-z0-9._-]*\.(?:pfx|p12|pem|crt|cer|key)$/;
const EXTENSIONS = ["pfx", "p12", "pem", "crt", "cer"] as const;
const NONE: readonly string[] = [];

/** What the index looks names up by: extension, or key type and extension. Constants, so that counting 1,000,000 names makes no garbage. */
export const SUFFIXES: readonly string[] = EXTENSIONS.flatMap((extension) => [`.rsa.${extension}`, `.ecdsa.${extension}`, `.${extension}`]);

/** The suffix of a canonical name; undefined for a `.key` file. */
function suffixOf(canonical: string): string | undefined {
  return SUFFIXES.find((suffix) => canonical.endsWith(suffix));
}

/** The canonical spelling of a name that is not spelled so; undefined when the name is none of ours. */
function canonicalOf(file: string): string | undefined {
  return parseFileName(file)?.canonical ?? canonicalKeyName(file);
}

/**
 * The names of the central certificates and the index from host to files. Made for 1,000,000 names: a name that is spelled
 * canonically costs its octets and one slot of a NameSet; nothing is parsed until somebody asks for a host.
 */
export class Listing {
  #names = new NameSet();
  /** Canonical spelling → the files that are spelled otherwise. */
  readonly #odd = new Map<string, string[]>();
  /** How many files have each suffix, so that a look-up tries only those that exist. */
  readonly #suffixes = new Map<string, number>();
  #listed = 0;

  /** Certificate files; `.key` files and other files do not count. */
  get listed(): number {
    return this.#listed;
  }

  names(): Iterable<string> {
    return this.#names;
  }

  has(file: string): boolean {
    return this.#names.has(file);
  }

  /** The listed file that a row's name means: the same spelling, else the same canonical name. */
  resolve(file: string): string | undefined {
    if (this.#names.has(file)) return file;
    const canonical = canonicalOf(file);
    return canonical === undefined ? undefined : this.#spelled(canonical)[0];
  }

  filesFor(pattern: HostPattern): readonly string[] {
    const stem = canonicalStem(pattern);
    let found: string[] | undefined;
    for (const suffix of this.#suffixes.keys()) {
      const canonical = stem + suffix;
      if (!this.#names.has(canonical) && !this.#odd.has(canonical)) continue;
      // The host `_.example.com` has no file: that name is the wildcard's. Nor has `x.rsa`, `x.rsa.pfx` being x's.
      if (parseFileName(canonical)?.pattern === pattern) (found ??= []).push(...this.#spelled(canonical));
    }
    return found ?? NONE;
  }

  /** The `.key` file beside a certificate file. */
  keyFileOf(file: string): string | undefined {
    const beside = `${file.slice(0, file.lastIndexOf("."))}.key`;
    if (this.#names.has(beside)) return beside;
    const canonical = canonicalKeyName(beside);
    return canonical === undefined ? undefined : this.#spelled(canonical)[0];
  }

  /** The certificate files that a `.key` file belongs to. */
  filesOfKey(keyFile: string): readonly string[] {
    const stem = keyFile.slice(0, -4);
    const canonical = canonicalKeyName(keyFile)?.slice(0, -4);
    const found = new Set(EXTENSIONS.map((extension) => `${stem}.${extension}`).filter((name) => this.#names.has(name)));
    if (canonical === undefined) return [...found];
    for (const extension of EXTENSIONS) for (const name of this.#spelled(`${canonical}.${extension}`)) found.add(name);
    return [...found];
  }

  /** False when it was listed already. */
  add(file: string): boolean {
    if (!this.#names.add(file)) return false;
    this.#enter(file);
    return true;
  }

  /** False when it was not listed. */
  delete(file: string): boolean {
    if (!this.#names.delete(file)) return false;
    this.#leave(file);
    return true;
  }

  /**
   * Takes over a new look at the folder. The event loop goes on between pieces of the work, and the former listing answers until
   * the new one is whole. One call at a time.
   */
  async replace(look: readonly string[]): Promise<ListingChange> {
    const former = this.#names;
    const next = new NameSet(look.length);
    const fresh: string[] = [];
    const removed: string[] = [];
    // The first look is all new: a second list of 1,000,000 names would be made for nothing.
    const isFirst = former.size === 0;
    await forEachInPieces(look, (file) => {
      next.add(file);
      if (!isFirst && !former.has(file)) fresh.push(file);
    });
    const added = isFirst ? look : fresh;
    await forEachInPieces(former, (file) => {
      if (!next.has(file)) removed.push(file);
    });
    this.#names = next;
    await forEachInPieces(removed, (file) => this.#leave(file));
    await forEachInPieces(added, (file) => this.#enter(file));
    return { added, removed };
  }

  #count(canonical: string, by: 1 | -1): void {
    const suffix = suffixOf(canonical);
    if (suffix === undefined) return;
    this.#listed += by;
    const next = (this.#suffixes.get(suffix) ?? 0) + by;
    if (next > 0) this.#suffixes.set(suffix, next);
    else this.#suffixes.delete(suffix);
  }

  #enter(file: string): void {
    if (CANONICAL.test(file)) return this.#count(file, 1);
    const canonical = canonicalOf(file);
    if (canonical === undefined) return;
    this.#count(canonical, 1);
    const same = this.#odd.get(canonical);
    if (same === undefined) this.#odd.set(canonical, [file]);
    else same.push(file);
  }

  #leave(file: string): void {
    if (CANONICAL.test(file)) return this.#count(file, -1);
    const canonical = canonicalOf(file);
    if (canonical === undefined) return;
    this.#count(canonical, -1);
    const rest = (this.#odd.get(canonical) ?? []).filter((name) => name !== file);
    if (rest.length > 0) this.#odd.set(canonical, rest);
    else this.#odd.delete(canonical);
  }

  #spelled(canonical: string): readonly string[] {
    const others = this.#odd.get(canonical) ?? NONE;
    return this.#names.has(canonical) ? [canonical, ...others] : others;
  }
}

/** Some milliseconds of work. */
const PIECE = 10_000;

async function forEachInPieces(items: Iterable<string>, task: (item: string) => void): Promise<void> {
  let done = 0;
  for (const item of items) {
    task(item);
    done += 1;
    if (done % PIECE === 0) await setImmediate();
  }
}
