import { hash } from "node:crypto";

/**
 * Applies a hash to its own output again and again, as the PKCS#12 key derivation does: 12,000 times for one file of
 * Windows Server 2012. A call into node:crypto costs 1.4 µs where the hashing itself takes 0.2 µs, so SHA-1 and SHA-256
 * over one short block are written out here (FIPS 180-4 sections 6.1.2 and 6.2.2); their results are tested against
 * node:crypto. docs/decisions/0010-reading-certificates.md has the figures.
 */
export function hashRepeatedly(name: string, digest: Uint8Array, times: number): Uint8Array {
  if (name === "sha1") return repeat(digest, times, sha1Block);
  if (name === "sha256") return repeat(digest, times, sha256Block);
  let value = digest;
  for (let done = 0; done < times; done++) value = hash(name, value, "buffer");
  return value;
}

/** Hashes the digest in `state` in place; `schedule` is scratch space. */
type BlockFunction = (state: Int32Array, schedule: Int32Array) => void;

/** Typed arrays give undefined out of bounds only, which no index here is. */
const at = (words: Int32Array, index: number): number => words[index] ?? 0;
const rotateRight = (word: number, by: number): number => (word >>> by) | (word << (32 - by));

function repeat(digest: Uint8Array, times: number, block: BlockFunction): Uint8Array {
  const out = Buffer.from(digest);
  const state = new Int32Array(out.length / 4);
  for (let index = 0; index < state.length; index++) state[index] = out.readInt32BE(4 * index);
  const schedule = new Int32Array(80);
  for (let done = 0; done < times; done++) block(state, schedule);
  for (let index = 0; index < state.length; index++) out.writeInt32BE(at(state, index), 4 * index);
  return out;
}

/** The padded message block of a digest: its words, one bit, zeros and the length in bits. */
function fillBlock(state: Int32Array, schedule: Int32Array): void {
  for (let index = 0; index < 15; index++) schedule[index] = index < state.length ? at(state, index) : 0;
  schedule[state.length] = 0x80000000;
  schedule[15] = state.length * 32;
}

/** Each sum is cut to 32 bits at once: V8 then keeps every value in a register. */
function sha1Block(state: Int32Array, schedule: Int32Array): void {
  fillBlock(state, schedule);
  for (let index = 16; index < 80; index++) {
    const mixed = at(schedule, index - 3) ^ at(schedule, index - 8) ^ at(schedule, index - 14) ^ at(schedule, index - 16);
    schedule[index] = (mixed << 1) | (mixed >>> 31);
  }
  let a = 0x67452301;
  let b = 0xefcdab89 | 0;
  let c = 0x98badcfe | 0;
  let d = 0x10325476;
  let e = 0xc3d2e1f0 | 0;
  for (let index = 0; index < 80; index++) {
    let mix = 0;
    if (index < 20) mix = ((d ^ (b & (c ^ d))) + 0x5a827999) | 0;
    else if (index < 40) mix = ((b ^ c ^ d) + 0x6ed9eba1) | 0;
    else if (index < 60) mix = (((b & c) | (d & (b | c))) + 0x8f1bbcdc) | 0;
    else mix = ((b ^ c ^ d) + 0xca62c1d6) | 0;
    const next = (((((a << 5) | (a >>> 27)) + mix) | 0) + ((e + at(schedule, index)) | 0)) | 0;
    e = d;
    d = c;
    c = (b << 30) | (b >>> 2);
    b = a;
    a = next;
  }
  state[0] = 0x67452301 + a;
  state[1] = 0xefcdab89 + b;
  state[2] = 0x98badcfe + c;
  state[3] = 0x10325476 + d;
  state[4] = 0xc3d2e1f0 + e;
}

const primes = (count: number): number[] => {
  const found: number[] = [];
  for (let candidate = 2; found.length < count; candidate++) {
    if (found.every((prime) => candidate % prime !== 0)) found.push(candidate);
  }
  return found;
};

/** The first 32 bits of a number's fractional part. */
const fraction = (value: number): number => Math.floor((value - Math.floor(value)) * 2 ** 32) | 0;

/** Section 4.2.2 and 5.3.3: the fractional parts of the roots of the first primes. */
const SHA256_ROUNDS = Int32Array.from(primes(64), (prime) => fraction(Math.cbrt(prime)));
const SHA256_START = Int32Array.from(primes(8), (prime) => fraction(Math.sqrt(prime)));

function sha256Block(state: Int32Array, schedule: Int32Array): void {
  fillBlock(state, schedule);
  for (let index = 16; index < 64; index++) {
    const early = at(schedule, index - 15);
    const late = at(schedule, index - 2);
    const small0 = rotateRight(early, 7) ^ rotateRight(early, 18) ^ (early >>> 3);
    const small1 = rotateRight(late, 17) ^ rotateRight(late, 19) ^ (late >>> 10);
    schedule[index] = (((at(schedule, index - 16) + small0) | 0) + ((at(schedule, index - 7) + small1) | 0)) | 0;
  }
  let a = at(SHA256_START, 0);
  let b = at(SHA256_START, 1);
  let c = at(SHA256_START, 2);
  let d = at(SHA256_START, 3);
  let e = at(SHA256_START, 4);
  let f = at(SHA256_START, 5);
  let g = at(SHA256_START, 6);
  let h = at(SHA256_START, 7);
  for (let index = 0; index < 64; index++) {
    const big1 = rotateRight(e, 6) ^ rotateRight(e, 11) ^ rotateRight(e, 25);
    const input = (at(SHA256_ROUNDS, index) + at(schedule, index)) | 0;
    const first = (((((h + big1) | 0) + (g ^ (e & (f ^ g)))) | 0) + input) | 0;
    const big0 = rotateRight(a, 2) ^ rotateRight(a, 13) ^ rotateRight(a, 22);
    const second = (big0 + ((a & b) | (c & (a | b)))) | 0;
    h = g;
    g = f;
    f = e;
    e = (d + first) | 0;
    d = c;
    c = b;
    b = a;
    a = (first + second) | 0;
  }
  state[0] = at(SHA256_START, 0) + a;
  state[1] = at(SHA256_START, 1) + b;
  state[2] = at(SHA256_START, 2) + c;
  state[3] = at(SHA256_START, 3) + d;
  state[4] = at(SHA256_START, 4) + e;
  state[5] = at(SHA256_START, 5) + f;
  state[6] = at(SHA256_START, 6) + g;
  state[7] = at(SHA256_START, 7) + h;
}
