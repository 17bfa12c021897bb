import { FarmError } from "../base/index.ts";

/** Parts of a key at most. */
const MAX_KEY_PARTS = 32;
/** UTF-16 code units of one part at most. */
const MAX_PART_LENGTH = 200;
/** Octets of a value at most, the same on every driver. */
const MAX_VALUE_BYTES = 512 * 1024;

// Lone surrogates have no UTF-8 form, so two different keys would meet in one file name.
const FORBIDDEN = /[\p{Cc}\p{Cs}]/u;

const shown = (text: string): string => JSON.stringify(text.slice(0, 120));

/** The parts of a key. @throws STORE_KEY_INVALID */
export function keyParts(key: string): readonly string[] {
  const parts = key.split("/");
  if (parts.length > MAX_KEY_PARTS) throw new FarmError("STORE_KEY_INVALID", `key ${shown(key)} has more than ${MAX_KEY_PARTS} parts`);
  for (const part of parts) {
    const problem = partProblem(part);
    if (problem !== undefined) throw new FarmError("STORE_KEY_INVALID", `key ${shown(key)} ${problem}`);
  }
  return parts;
}

function partProblem(part: string): string | undefined {
  if (part === "") return "has an empty part";
  if (part === "." || part === "..") return `has the part ${part}`;
  if (part.length > MAX_PART_LENGTH) return `has a part of more than ${MAX_PART_LENGTH} characters`;
  return FORBIDDEN.test(part) ? "has a control character or half a surrogate pair" : undefined;
}

/** The parts of a prefix; the empty prefix (all keys) has none. @throws STORE_KEY_INVALID */
export const prefixParts = (prefix: string): readonly string[] => (prefix === "" ? [] : keyParts(prefix));

/** Whether a key lies below a prefix, by whole parts: `a` holds `a/b`, neither `ab` nor `a` itself. */
export const isBelow = (prefix: string, key: string): boolean => prefix === "" || key.startsWith(`${prefix}/`);

/** @throws STORE_VALUE_TOO_LARGE */
export function requireValueSize(key: string, value: Uint8Array): void {
  if (value.byteLength <= MAX_VALUE_BYTES) return;
  throw new FarmError(
    "STORE_VALUE_TOO_LARGE",
    `value of ${shown(key)} has ${value.byteLength} octets; at most ${MAX_VALUE_BYTES} are taken`,
    {
      facts: { key, bytes: value.byteLength },
    },
  );
}

/** The parts of a path in a folder. @throws STORE_KEY_INVALID for anything that could lead elsewhere, before a disk is asked */
export function folderPathParts(path: string): readonly string[] {
  const parts = path.split("/");
  const bad = path.length > 4096 || /[\\\0]/.test(path) || parts.some((part) => part === "" || part === "." || part === "..");
  if (bad || /\p{Cs}/u.test(path)) throw new FarmError("STORE_KEY_INVALID", `path ${shown(path)} is not a relative path inside a folder`);
  return parts;
}

const DIGEST = /^sha256:([0-9a-f]{64})$/;

/** The 64 hexadecimal digits of `sha256:…`. @throws STORE_KEY_INVALID */
export function digestHex(digest: string): string {
  const hex = DIGEST.exec(digest)?.[1];
  if (hex === undefined) throw new FarmError("STORE_KEY_INVALID", `${shown(digest)} is not a digest (sha256: and 64 hexadecimal digits)`);
  return hex;
}
