import { malformed } from "../tlv.ts";

/** One `-----BEGIN X-----` block. */
export interface PemBlock {
  readonly label: string;
  /** RFC 1421 headers, as in encrypted keys of old OpenSSL. */
  readonly headers: ReadonlyMap<string, string>;
  readonly bytes: Uint8Array;
  /** For problems: where the block begins, counted from 1. */
  readonly line: number;
}

const BEGIN = "-----BEGIN ";
const DASHES = "-----";

/** Whether bytes look like text with PEM blocks in it. */
export function hasPemBlocks(bytes: Uint8Array): boolean {
  return pemText(bytes).includes(BEGIN);
}

/** Editors on Windows save text as UTF-16 with a byte order mark; everything else is ASCII where it matters. */
function pemText(bytes: Uint8Array): string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const isEven = buffer.length % 2 === 0;
  if (buffer[0] === 0xff && buffer[1] === 0xfe) return buffer.toString("utf16le");
  if (buffer[0] === 0xfe && buffer[1] === 0xff && isEven) return Buffer.from(buffer).swap16().toString("utf16le");
  return buffer.toString("latin1");
}

/** Lines begun in a part of a text. */
function linesIn(text: string, from: number, to: number): number {
  let count = 0;
  for (let at = text.indexOf("\n", from); at >= 0 && at < to; at = text.indexOf("\n", at + 1)) count++;
  return count;
}

/** The PEM blocks of a text in order (RFC 7468, read leniently); other text is passed over. @throws CERTIFICATE_MALFORMED naming the line */
export function* pemBlocks(bytes: Uint8Array): Generator<PemBlock> {
  const text = pemText(bytes);
  let line = 1;
  let counted = 0;
  for (let at = text.indexOf(BEGIN); at >= 0;) {
    const labelEnd = text.indexOf(DASHES, at + BEGIN.length);
    const label = text.slice(at + BEGIN.length, labelEnd < 0 ? undefined : labelEnd);
    line += linesIn(text, counted, at);
    counted = at;
    if (labelEnd < 0 || label.length > 64 || /[\r\n]/.test(label)) malformed(`the PEM header in line ${line} is not complete`);
    const end = text.indexOf(`-----END ${label}-----`, labelEnd);
    if (end < 0) malformed(`the PEM block ${label} in line ${line} has no end`);
    yield { label, line, ...bodyOf(text.slice(labelEnd + DASHES.length, end), label, line) };
    at = text.indexOf(BEGIN, end);
  }
}

function bodyOf(body: string, label: string, line: number): Pick<PemBlock, "headers" | "bytes"> {
  const lines = body.split(/\r\n|\n|\r/).map((each) => each.trim());
  const headers = new Map<string, string>();
  let first = 0;
  if (lines.some((each) => each.includes(":"))) {
    for (; first < lines.length; first++) {
      const text = lines[first] ?? "";
      const colon = text.indexOf(":");
      if (colon > 0) headers.set(text.slice(0, colon).toLowerCase(), text.slice(colon + 1).trim());
      else if (text === "" && headers.size > 0) break;
    }
  }
  const base64 = lines.slice(first).join("").replaceAll(/\s+/g, "");
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(base64) || base64.length % 4 === 1) malformed(`the PEM block ${label} in line ${line} is not base64`);
  return { headers, bytes: Buffer.from(base64, "base64") };
}
