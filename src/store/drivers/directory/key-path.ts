import { createHash } from "node:crypto";

// Lower case, digits, `-` and `_` stand for themselves; `.` inside too. All else is escaped, upper case as well: `A` and `a` must
// stay two keys where the file system folds case. `@` is not among them: version files begin with it.
const PLAIN = /[a-z0-9_-]/;
const RESERVED = /^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/;
/** Octets of one name at most: 32 parts of it and the root stay below the 4096 of a path. */
const MAX_NAME = 100;
const HASH_LENGTH = 64;

const escaped = (octet: number): string => `%${octet.toString(16).padStart(2, "0")}`;

/**
 * The directory name of one part of a key: percent-encoding, the same on every file system, one to one. Names that Windows
 * reserves have their first letter escaped; a name over 100 octets ends in `%-` and the SHA-256 of the part instead.
 */
export function partName(part: string): string {
  let name = "";
  const octets = Buffer.from(part, "utf8");
  for (const [index, octet] of octets.entries()) {
    const character = String.fromCharCode(octet);
    const isInnerDot = character === "." && index > 0 && index < octets.length - 1;
    name += PLAIN.test(character) || isInnerDot ? character : escaped(octet);
  }
  if (RESERVED.test(name)) name = escaped(name.charCodeAt(0)) + name.slice(1);
  if (name.length <= MAX_NAME) return name;
  const head = name.slice(0, MAX_NAME - HASH_LENGTH - 2).replace(/%.?$/, "");
  return `${head}%-${createHash("sha256").update(part, "utf8").digest("hex")}`;
}

/** The file name of a version of a key, inside the key's directory. */
export const versionName = (version: number): string => `@${version}`;

/** The number of a version file, or undefined for other names. */
export function versionOf(name: string): number | undefined {
  return /^@[1-9]\d{0,14}$/.test(name) ? Number(name.slice(1)) : undefined;
}
