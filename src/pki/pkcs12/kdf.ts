import { hash as digest } from "node:crypto";

import type { Hash } from "../hashes.ts";

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

/** How many iterations a derivation really runs: each output block repeats them. */
export const pkcs12KdfCost = (hash: Hash, iterations: number, length: number): number => iterations * Math.ceil(length / hash.size);

/** Iterations between two looks at the event loop: about 30 ms. */
const SLICE = 20_000;

/** The key derivation of RFC 7292 appendix B.2. Gives way to the event loop between slices of work. */
export async function pkcs12Kdf(request: Pkcs12KdfRequest): Promise<Uint8Array> {
  const { hash, length } = request;
  const diversifier = new Uint8Array(hash.block).fill(request.purpose);
  const input = Buffer.concat([repeated(request.salt, hash.block), repeated(request.password, hash.block)]);
  const out = Buffer.alloc(Math.ceil(length / hash.size) * hash.size);
  for (let at = 0; at < length; at += hash.size) {
    const block = await iterate(hash.name, Buffer.concat([diversifier, input]), request.iterations);
    out.set(block, at);
    if (at + hash.size < length) addToBlocks(input, repeated(block, hash.block).subarray(0, hash.block));
  }
  return out.subarray(0, length);
}

async function iterate(name: string, first: Uint8Array, iterations: number): Promise<Buffer> {
  let value = digest(name, first, "buffer");
  for (let done = 1; done < iterations; done++) {
    value = digest(name, value, "buffer");
    if (done % SLICE === 0) await new Promise<void>((resolve) => setImmediate(resolve));
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
