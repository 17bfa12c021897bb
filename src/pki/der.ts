import { encode } from "./tlv.ts";

/** Writers of DER values: each returns the whole encoding. */
export const der = {
  sequence: (...parts: readonly Uint8Array[]): Uint8Array => encode(0x30, ...parts),
  /** The caller gives the parts in DER's order. */
  set: (...parts: readonly Uint8Array[]): Uint8Array => encode(0x31, ...parts),
  octets: (...parts: readonly Uint8Array[]): Uint8Array => encode(0x04, ...parts),
  null: (): Uint8Array => encode(0x05),
  /** [number] EXPLICIT or a constructed IMPLICIT. */
  context: (number: number, ...parts: readonly Uint8Array[]): Uint8Array => encode(0xa0 | number, ...parts),
  /** [number] IMPLICIT of a primitive type. */
  primitive: (number: number, body: Uint8Array): Uint8Array => encode(0x80 | number, body),
  bits: (body: Uint8Array): Uint8Array => encode(0x03, Uint8Array.of(0), body),
  bmpString: (text: string): Uint8Array => encode(0x1e, Buffer.from(text, "utf16le").swap16()),
  integer,
  oid,
} as const;

/** A non-negative INTEGER below 2^53. */
function integer(value: number): Uint8Array {
  const digits: number[] = [value % 256];
  for (let left = Math.floor(value / 256); left > 0; left = Math.floor(left / 256)) digits.unshift(left % 256);
  if ((digits[0] ?? 0) >= 0x80) digits.unshift(0);
  return encode(0x02, Uint8Array.from(digits));
}

function oid(dotted: string): Uint8Array {
  const [root = 0, second = 0, ...arcs] = dotted.split(".").map(Number);
  const octets = [root * 40 + second, ...arcs].flatMap((arc) => {
    const digits = [arc % 128];
    for (let left = Math.floor(arc / 128); left > 0; left = Math.floor(left / 128)) digits.unshift((left % 128) | 0x80);
    return digits;
  });
  return encode(0x06, Uint8Array.from(octets));
}
