import { childrenOf, readValue, type Tlv } from "../tlv.ts";

/**
 * The same value in BER: indefinite lengths, and OCTET STRINGs cut into pieces of `piece` octets.
 * Values inside octets stay as they are, as their octets may be signed or authenticated.
 */
export function toBer(der: Uint8Array, piece: number): Buffer {
  return berOf(readValue(der), piece);
}

const END_OF_CONTENTS = Buffer.alloc(2);

function berOf(value: Tlv, piece: number): Buffer {
  if (value.constructed)
    return indefinite(
      value.tag | 0x20,
      childrenOf(value).map((child) => berOf(child, piece)),
    );
  if (value.tag !== 4 || value.body.length <= piece) return Buffer.from(value.raw);
  const pieces: Buffer[] = [];
  for (let at = 0; at < value.body.length; at += piece) pieces.push(octets(value.body.subarray(at, at + piece)));
  return indefinite(0x24, pieces);
}

const indefinite = (identifier: number, parts: readonly Buffer[]): Buffer =>
  Buffer.concat([Buffer.of(identifier, 0x80), ...parts, END_OF_CONTENTS]);

/** With a length of four octets, longer than DER allows. */
function octets(body: Uint8Array): Buffer {
  const head = Buffer.of(0x04, 0x84, 0, 0, 0, 0);
  head.writeUInt32BE(body.length, 2);
  return Buffer.concat([head, body]);
}
