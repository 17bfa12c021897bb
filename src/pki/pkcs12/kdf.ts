import { hash } from "node:crypto";

import type { Hash } from "../hashes.ts";
import { hashRepeatedly } from "./repeated-hash.ts";

/** What derived octets are for (RFC 7292 appendix B.3). */
export const PURPOSE = { key: 1, iv: 2, mac: 3 } as const;

/** What the PKCS#12 key derivation is asked for. `password` is in its final encoding, usually BMPString with its NUL. */
export interface Pkcs12KdfRequest {
  readonly hash: Hash;
  readonly password: Uint8Array;
  readonly salt: Uint8Array;
  readonly iterations: number;
  readonly purpose: 1 | 2 | 3;
  /** Octets wanted. */
  readonly length: number;
}

/** Iterations between two looks at the event loop: about 10 ms. */
const SLICE = 20_000;

/** The key derivation of RFC 7292 appendix B.2. Gives way to the event loop between slices of work. */
export async function pkcs12Kdf(request: Pkcs12KdfRequest): Promise<Uint8Array> {
  const { length } = request;
  const { name, block, size } = request.hash;
  const diversifier = new Uint8Array(block).fill(request.purpose);
  const input = Buffer.concat([repeated(request.salt, block), repeated(request.password, block)]);
  const out = Buffer.alloc(Math.ceil(length / size) * size);
  for (let at = 0; at < length; at += size) {
    const digest = await iterate(name, Buffer.concat([diversifier, input]), request.iterations);
    out.set(digest, at);
    if (at + size < length) addToBlocks(input, repeated(digest, block).subarray(0, block));
  }
  return out.subarray(0, length);
}

async function iterate(name: string, first: Uint8Array, iterations: number): Promise<Uint8Array> {
  let value: Uint8Array = hash(name, first, "buffer");
  for (let left = iterations - 1; left > 0; left -= SLICE) {
    value = hashRepeatedly(name, value, Math.min(left, SLICE));
    if (left > SLICE) await new Promise<void>((resolve) => setImmediate(resolve));
  }
  return value;
}

/** `bytes` repeated to a whole number of blocks; empty stays empty. */
function repeated(bytes: Uint8Array, block: number): Buffer {
  const out = Buffer.alloc(Math.ceil(bytes.length / block) * block);
  for (let at = 0; at < out.length; at += bytes.length) out.set(bytes.subarray(0, out.length - at), at);
  return out;
}

/** Adds `addend` + 1 to each block of `input`, as big-endian numbers modulo the block. */
function addToBlocks(input: Buffer, addend: Buffer): void {
  for (let start = 0; start < input.length; start += addend.length) {
    let carry = 1;
    for (let index = addend.length - 1; index >= 0; index--) {
      carry += (input[start + index] ?? 0) + (addend[index] ?? 0);
      input[start + index] = carry & 255;
      carry >>>= 8;
    }
  }
}
