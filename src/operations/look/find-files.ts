import { readdir } from "node:fs/promises";
import { posix } from "node:path";

import type { ConfigFile } from "../../peers/index.ts";
import { readInputFile } from "./read-input.ts";

const MAX_FOUND = 2_000;
const GLOB = /[*?[]/;

/**
 * The files that a path or a pattern as in glob(7) names, in the order of their names; what cannot be read is left out. Each part of the
 * path may have `*`, `?` and `[…]`; none of them stands for a dot at the start.
 */
export async function findFiles(pattern: string): Promise<readonly ConfigFile[]> {
  const found: ConfigFile[] = [];
  for (const path of await expand(pattern)) {
    const text = await readConfigFile(path).catch(() => undefined);
    if (text !== undefined) found.push(text);
  }
  return found;
}

/** A configuration as text; octets that are no UTF-8 become a sign for that. @throws DOCTOR_FILE_UNREADABLE */
export async function readConfigFile(path: string): Promise<ConfigFile> {
  return { path, text: new TextDecoder().decode((await readInputFile(path)).bytes) };
}

async function expand(pattern: string): Promise<readonly string[]> {
  let paths: readonly string[] = [pattern.startsWith("/") ? "/" : ""];
  for (const part of pattern.split("/").filter((each) => each !== "")) {
    if (!GLOB.test(part)) {
      paths = paths.map((path) => posix.join(path, part));
      continue;
    }
    const matches = matcher(part);
    const next: string[] = [];
    for (const path of paths) {
      const names = await readdir(path === "" ? "." : path).catch(() => []);
      for (const name of inOrder(names)) if (matches(name) && next.length < MAX_FOUND) next.push(posix.join(path, name));
    }
    paths = next;
  }
  return paths;
}

const inOrder = (names: readonly string[]): readonly string[] => names.toSorted((a, b) => (a < b ? -1 : 1));

/** Linear in the name: a star is tried again only from where the last one stood. */
function matcher(part: string): (name: string) => boolean {
  const tokens = part.match(/\[!?\]?[^\]]*\]|./gs) ?? [];
  return (name) => (name.startsWith(".") && !part.startsWith(".") ? false : matchesTokens(tokens, name.split("")));
}

function matchesTokens(tokens: readonly string[], letters: readonly string[]): boolean {
  let [token, letter, star, starLetter] = [0, 0, -1, 0];
  while (letter < letters.length) {
    const wanted = tokens[token];
    if (wanted === "*") {
      [star, starLetter] = [token, letter];
      token += 1;
    } else if (wanted !== undefined && fits(wanted, letters[letter] ?? "")) {
      token += 1;
      letter += 1;
    } else if (star >= 0) {
      starLetter += 1;
      [token, letter] = [star + 1, starLetter];
    } else return false;
  }
  return tokens.slice(token).every((rest) => rest === "*");
}

function fits(token: string, letter: string): boolean {
  if (token === "?") return true;
  if (token.length < 3 || !token.startsWith("[")) return token === letter;
  const isNot = token[1] === "!";
  return inSet(token.slice(isNot ? 2 : 1, -1).split(""), letter) !== isNot;
}

function inSet(set: readonly string[], letter: string): boolean {
  for (let at = 0; at < set.length; at += 1) {
    const [from = "", dash, to] = set.slice(at, at + 3);
    if (dash === "-" && to !== undefined) {
      if (letter >= from && letter <= to) return true;
      at += 2;
    } else if (from === letter) return true;
  }
  return false;
}
