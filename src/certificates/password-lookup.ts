import { Secret } from "../base/index.ts";

/** A password file's contents. */
export interface PasswordTable {
  /** Tried for every file. */
  readonly everyFile: readonly Secret[];
  /** File names or patterns (`*`, `?`), lower case and NFC, in the file's order. */
  readonly files: readonly { readonly pattern: string; readonly passwords: readonly Secret[] }[];
}

/** A PasswordTable without its Secrets, which do not survive being copied between threads. */
export interface WireTable {
  readonly everyFile: readonly string[];
  readonly files: readonly { readonly pattern: string; readonly passwords: readonly string[] }[];
}

const revealed = (secrets: readonly Secret[]): readonly string[] => secrets.map((secret) => secret.reveal());
const hidden = (texts: readonly string[]): readonly Secret[] => texts.map((text) => new Secret(text));

export const tableToWire = (table: PasswordTable): WireTable => ({
  everyFile: revealed(table.everyFile),
  files: table.files.map(({ pattern, passwords }) => ({ pattern, passwords: revealed(passwords) })),
});

export const tableFromWire = (table: WireTable): PasswordTable => ({
  everyFile: hidden(table.everyFile),
  files: table.files.map(({ pattern, passwords }) => ({ pattern, passwords: hidden(passwords) })),
});

/** Whether a name fits a pattern of `*` (any characters) and `?` (one). No regular expression: no pattern can make it slow. */
export function matchesGlob(pattern: string, name: string): boolean {
  let p = 0;
  let star = -1;
  let resume = 0;
  for (let n = 0; n < name.length;) {
    const want = pattern[p];
    if (want === "*") {
      star = p++;
      resume = n;
    } else if (want === "?" || want === name[n]) {
      p += 1;
      n += 1;
    } else if (star >= 0) {
      p = star + 1;
      n = ++resume;
    } else return false;
  }
  while (pattern[p] === "*") p += 1;
  return p === pattern.length;
}
