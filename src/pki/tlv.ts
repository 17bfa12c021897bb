import { FarmError } from "../base/index.ts";
import { MAX_VALUES } from "./limits.ts";

/** One ASN.1 value of a scanned document. */
export interface Tlv {
  /** The identifier octet without the constructed bit: 0x10 SEQUENCE, 0x04 OCTET STRING, 0x80 context [0]. */
  readonly tag: number;
  readonly constructed: boolean;
  /** The contents octets. */
  readonly body: Uint8Array;
  /** The whole encoding. */
  readonly raw: Uint8Array;
}

/** Tags as Tlv.tag has them. */
export const TAG = {
  integer: 2,
  bitString: 3,
  octetString: 4,
  null: 5,
  oid: 6,
  sequence: 16,
  set: 17,
  context0: 0x80,
  context1: 0x81,
} as const;

const CONSTRUCTED = 0x20;

/** @throws always CERTIFICATE_MALFORMED */
export function malformed(message: string): never {
  throw new FarmError("CERTIFICATE_MALFORMED", message);
}

interface Header {
  readonly tag: number;
  readonly constructed: boolean;
  readonly bodyAt: number;
  /** -1: the indefinite form. */
  readonly length: number;
}

function octet(bytes: Uint8Array, at: number, end: number): number {
  if (at >= end) malformed(`the data ends inside an ASN.1 value at offset ${at}`);
  return bytes[at] ?? 0;
}

function readHeader(bytes: Uint8Array, at: number, end: number): Header {
  const first = octet(bytes, at, end);
  if ((first & 0x1f) === 0x1f) malformed(`a multi-octet ASN.1 tag at offset ${at}: none occurs in certificates or keys`);
  const short = octet(bytes, at + 1, end);
  const tag = first & ~CONSTRUCTED;
  const constructed = (first & CONSTRUCTED) !== 0;
  if (short < 0x80) return bounded({ tag, constructed, bodyAt: at + 2, length: short }, at, end);
  if (short === 0x80) {
    if (!constructed) malformed(`an indefinite length on a primitive ASN.1 value at offset ${at}`);
    return { tag, constructed, bodyAt: at + 2, length: -1 };
  }
  const count = short & 0x7f;
  if (count > 8) malformed(`an ASN.1 length of ${count} octets at offset ${at}`);
  let length = 0;
  for (let index = 0; index < count; index++) length = length * 256 + octet(bytes, at + 2 + index, end);
  return bounded({ tag, constructed, bodyAt: at + 2 + count, length }, at, end);
}

function bounded(header: Header, at: number, end: number): Header {
  if (header.bodyAt + header.length > end) {
    malformed(`the ASN.1 value at offset ${at} claims ${header.length} octets where ${Math.max(0, end - header.bodyAt)} are left`);
  }
  return header;
}

/** A constructed value that is being walked; the indefinite form ends at its end-of-contents octets, before `end` at the latest. */
type Open = { readonly end: number; readonly indefinite: boolean };

/** What a scan found: where the first value ends, and whether it is free of forms that only BER allows. */
export interface Scan {
  readonly end: number;
  readonly isDer: boolean;
}

const isEndOfContents = (bytes: Uint8Array, at: number, end: number): boolean => at + 1 < end && bytes[at] === 0 && bytes[at + 1] === 0;

/** A walk over one ASN.1 value without recursion: its cost is bounded by the count of values, its memory by their depth. */
class Walk {
  readonly #bytes: Uint8Array;
  readonly #maxDepth: number;
  readonly #open: Open[] = [];
  #at = 0;
  #isDer = true;

  constructor(bytes: Uint8Array, maxDepth: number) {
    this.#bytes = bytes;
    this.#maxDepth = maxDepth;
  }

  run(): Scan {
    for (let count = 0; count <= MAX_VALUES; count++) {
      this.#step();
      this.#closeFinished();
      if (this.#open.length === 0) return { end: this.#at, isDer: this.#isDer };
    }
    throw new FarmError("CERTIFICATE_TOO_COSTLY", `more than ${MAX_VALUES} ASN.1 values in one document`);
  }

  #step(): void {
    const parent = this.#open.at(-1);
    const end = parent?.end ?? this.#bytes.length;
    if (parent?.indefinite === true && isEndOfContents(this.#bytes, this.#at, end)) {
      this.#open.pop();
      this.#at += 2;
    } else this.#enter(readHeader(this.#bytes, this.#at, end), end);
  }

  #enter({ tag, constructed, bodyAt, length }: Header, end: number): void {
    const indefinite = length < 0;
    if (indefinite || (constructed && isStringTag(tag))) this.#isDer = false;
    this.#at = constructed ? bodyAt : bodyAt + length;
    if (constructed) this.#open.push({ end: indefinite ? end : bodyAt + length, indefinite });
    if (this.#open.length > this.#maxDepth) {
      throw new FarmError("CERTIFICATE_TOO_COSTLY", `ASN.1 values are nested deeper than ${this.#maxDepth}`);
    }
  }

  #closeFinished(): void {
    for (let top = this.#open.at(-1); top !== undefined && !top.indefinite && this.#at === top.end; top = this.#open.at(-1)) {
      this.#open.pop();
    }
  }
}

/**
 * Walks the first ASN.1 value of `bytes` before anything else looks at it.
 * @throws CERTIFICATE_MALFORMED for lengths beyond the data; CERTIFICATE_TOO_COSTLY beyond `maxDepth` or MAX_VALUES values.
 */
export function scan(bytes: Uint8Array, maxDepth: number): Scan {
  return new Walk(bytes, maxDepth).run();
}

/** Universal types that BER may cut into pieces (X.690 section 8.7 and 8.23). */
function isStringTag(tag: number): boolean {
  return tag === TAG.bitString || tag === TAG.octetString || tag === 12 || (tag >= 18 && tag <= 30);
}

/**
 * The first ASN.1 value of `bytes` with definite lengths and unbroken strings; the same bytes when it is so already.
 * `rest` counts the octets after it.
 * @throws CERTIFICATE_MALFORMED, CERTIFICATE_TOO_COSTLY
 */
export function toDefinite(bytes: Uint8Array, maxDepth: number): { readonly der: Uint8Array; readonly rest: number } {
  const { end, isDer } = scan(bytes, maxDepth);
  const value = bytes.subarray(0, end);
  return { der: isDer ? value : rewrite(value, 0).der, rest: bytes.length - end };
}

/** Recursion is bounded: the value was scanned. */
function rewrite(bytes: Uint8Array, start: number): { readonly der: Uint8Array; readonly next: number } {
  const header = readHeader(bytes, start, bytes.length);
  if (!header.constructed) {
    const next = header.bodyAt + header.length;
    return { der: bytes.subarray(start, next), next };
  }
  const parts: Uint8Array[] = [];
  const end = header.length < 0 ? bytes.length : header.bodyAt + header.length;
  let at = header.bodyAt;
  let next = end;
  while (at < end) {
    if (header.length < 0 && isEndOfContents(bytes, at, end)) {
      next = at + 2;
      break;
    }
    const child = rewrite(bytes, at);
    parts.push(child.der);
    at = child.next;
  }
  if (!isStringTag(header.tag)) return { der: encode(header.tag | CONSTRUCTED, ...parts), next };
  return { der: joinPieces(header.tag, parts), next };
}

function joinPieces(tag: number, parts: readonly Uint8Array[]): Uint8Array {
  const bodies = parts.map((part) => readValue(part).body);
  if (tag !== TAG.bitString) return encode(tag, ...bodies);
  // Each piece of a BIT STRING begins with its count of unused bits; only the last piece may have some.
  const unused = bodies.at(-1)?.subarray(0, 1) ?? new Uint8Array(1);
  return encode(tag, unused, ...bodies.map((body) => body.subarray(1)));
}

/** The encoding of a value with the given identifier octet and contents. */
export function encode(identifier: number, ...contents: readonly Uint8Array[]): Uint8Array {
  const length = contents.reduce((sum, part) => sum + part.length, 0);
  const digits: number[] = [];
  for (let left = length; left > 0; left = Math.floor(left / 256)) digits.unshift(left % 256);
  const head = length < 0x80 ? [identifier, length] : [identifier, 0x80 | digits.length, ...digits];
  const out = new Uint8Array(head.length + length);
  out.set(head);
  let at = head.length;
  for (const part of contents) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

function valueAt(bytes: Uint8Array, at: number): { readonly value: Tlv; readonly next: number } {
  const header = readHeader(bytes, at, bytes.length);
  if (header.length < 0) malformed("an indefinite length where a definite one is needed");
  const next = header.bodyAt + header.length;
  const { tag, constructed } = header;
  return { value: { tag, constructed, body: bytes.subarray(header.bodyAt, next), raw: bytes.subarray(at, next) }, next };
}

/** The first value of scanned, definite bytes. @throws CERTIFICATE_MALFORMED */
export const readValue = (bytes: Uint8Array): Tlv => valueAt(bytes, 0).value;

/** Enough for any key, extension or name inside the octets of another value. */
const NESTED_DEPTH = 16;

/** The first value of octets that were not scanned yet, such as an extension's. @throws CERTIFICATE_MALFORMED, CERTIFICATE_TOO_COSTLY */
export function readNested(bytes: Uint8Array): Tlv {
  return readValue(toDefinite(bytes, NESTED_DEPTH).der);
}

/** The values inside a constructed value of scanned, definite bytes. @throws CERTIFICATE_MALFORMED */
export function childrenOf(value: Tlv): Tlv[] {
  const found: Tlv[] = [];
  for (let at = 0; at < value.body.length;) {
    const { value: child, next } = valueAt(value.body, at);
    found.push(child);
    at = next;
  }
  return found;
}

/** The children of a value that must be a SEQUENCE. @throws CERTIFICATE_MALFORMED naming `what` */
export function sequenceOf(value: Tlv | undefined, what: string): Tlv[] {
  if (value?.tag !== TAG.sequence || !value.constructed) return malformed(`${what} is not an ASN.1 SEQUENCE`);
  return childrenOf(value);
}

/** A small non-negative INTEGER; Infinity when it has more than 6 octets. @throws CERTIFICATE_MALFORMED naming `what` */
export function integerOf(value: Tlv | undefined, what: string): number {
  if (value?.tag !== TAG.integer || value.body.length === 0) return malformed(`${what} is not an ASN.1 INTEGER`);
  if (((value.body[0] ?? 0) & 0x80) !== 0) return malformed(`${what} is negative`);
  const digits = value.body.findIndex((digit) => digit !== 0);
  if (digits < 0) return 0;
  if (value.body.length - digits > 6) return Number.POSITIVE_INFINITY;
  return value.body.reduce((sum, digit) => sum * 256 + digit, 0);
}

/** The contents of an OCTET STRING. @throws CERTIFICATE_MALFORMED naming `what` */
export function octetsOf(value: Tlv | undefined, what: string): Uint8Array {
  if (value?.tag !== TAG.octetString || value.constructed) return malformed(`${what} is not an ASN.1 OCTET STRING`);
  return value.body;
}

/** An OBJECT IDENTIFIER in dotted form; arcs above 2^53 are not told apart. @throws CERTIFICATE_MALFORMED naming `what` */
export function oidOf(value: Tlv | undefined, what: string): string {
  if (value?.tag !== TAG.oid || value.body.length === 0) return malformed(`${what} is not an ASN.1 OBJECT IDENTIFIER`);
  const arcs: number[] = [];
  let arc = 0;
  for (const digit of value.body) {
    arc = arc * 128 + (digit & 0x7f);
    if (digit < 0x80) {
      arcs.push(arc);
      arc = 0;
    }
  }
  const joint = arcs[0] ?? 0;
  const root = Math.min(2, Math.floor(joint / 40));
  return [root, joint - root * 40, ...arcs.slice(1)].join(".");
}
