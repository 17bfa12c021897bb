import { FarmError } from "../base/index.ts";
import { MAX_TEXT_BYTES } from "./limits.ts";

const UTF8 = new TextDecoder("utf-8", { fatal: true });
const UTF16LE = new TextDecoder("utf-16le");
const UTF16BE = new TextDecoder("utf-16be");
const SINGLE_OCTETS = new TextDecoder("windows-1252");

/** Octets that are looked at to tell UTF-16 without a byte order mark. */
const SAMPLE_BYTES = 4_096;

/** A text and how it was stored. */
export interface DecodedText {
  readonly text: string;
  /** `octets`: an OEM code page, nobody knows which; ASCII is right, other letters are not. */
  readonly encoding: "utf-8" | "utf-16" | "octets" | "text";
}

/**
 * The text in a file, whatever wrote it: UTF-8 or UTF-16 with or without a byte order mark, else a code page of the console. In all
 * code pages that Windows consoles use, the octets of ASCII's colon, blank, braces and digits are never part of another letter.
 * @throws IIS_INPUT_TOO_LARGE that names the file
 */
export function decodeText(content: Uint8Array | string, name: string): DecodedText {
  if (content.length > MAX_TEXT_BYTES) throw tooLarge(name, `has ${content.length} octets; at most ${MAX_TEXT_BYTES} are read`);
  if (typeof content === "string") return { text: content.startsWith("\uFEFF") ? content.slice(1) : content, encoding: "text" };
  const utf16 = utf16Order(content);
  if (utf16 !== undefined) return { text: (utf16 === "le" ? UTF16LE : UTF16BE).decode(content), encoding: "utf-16" };
  try {
    return { text: UTF8.decode(content), encoding: "utf-8" };
  } catch {
    return { text: SINGLE_OCTETS.decode(content), encoding: "octets" };
  }
}

/** What a file has too much of, as an error. */
export const tooLarge = (name: string, problem: string): FarmError =>
  new FarmError("IIS_INPUT_TOO_LARGE", `${name} ${problem}`, { facts: { file: name } });

function utf16Order(bytes: Uint8Array): "le" | "be" | undefined {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return "le";
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return "be";
  const sample = bytes.subarray(0, Math.min(bytes.length, SAMPLE_BYTES) & ~1);
  const even = sample.filter((octet, at) => octet === 0 && at % 2 === 0).length;
  const odd = sample.filter((octet, at) => octet === 0 && at % 2 === 1).length;
  // Text with many ASCII characters has a zero in every second octet; a torn copy full of zeros has them everywhere.
  if (odd * 4 > sample.length && even * 16 < sample.length) return "le";
  return even * 4 > sample.length && odd * 16 < sample.length ? "be" : undefined;
}
