const PI_TABLE_HEX =
  "d978f9c419ddb5ed28e9fd794aa0d89dc67e37832b76538e624c6488448bfba2179a59f587b34f1361456d8d09817d32bd8f40eb86b77b0bf09521225c6b4e82" +
  "54d66593ce60b21c7356c014a78cf1dc1275ca1f3bbee4d1423dd430a33cb6266fbf0eda4669075727f21d9bbc944303f811c7f690ef3ee706c3d52fc8661ed7" +
  "08e8eade8052eef784aa72ac354d6a2a961ad2715a1549744b9fd05e0418a4ecc2e0416e0f51cbcc2491af50a1f47039997c3a8523b8b47afc02365b25559731" +
  "2d5dfa98e38a92ae05df2910676cbac9d300e6cfe19ea82c6316013f58e289a90d38341bab33ffb0bb480c5fb9b1cd2ec5f3db47e5a59c770aa62068fe7fc1ad";

const PI_TABLE = Uint8Array.from(PI_TABLE_HEX.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));

/** RC2's expanded key: 64 words of 16 bits (RFC 2268 section 2). `effectiveBits` is 1 to 1024. */
export function expandRc2Key(key: Uint8Array, effectiveBits: number): Uint16Array {
  const pi = (index: number): number => PI_TABLE[index & 255] ?? 0;
  const octets = new Uint8Array(128);
  octets.set(key.subarray(0, 128));
  const length = Math.min(key.length, 128);
  for (let index = length; index < 128; index++) octets[index] = pi((octets[index - 1] ?? 0) + (octets[index - length] ?? 0));
  const effective = Math.ceil(effectiveBits / 8);
  octets[128 - effective] = pi((octets[128 - effective] ?? 0) & (255 >> (8 * effective - effectiveBits)));
  for (let index = 127 - effective; index >= 0; index--) octets[index] = pi((octets[index + 1] ?? 0) ^ (octets[index + effective] ?? 0));
  return Uint16Array.from({ length: 64 }, (_, word) => (octets[2 * word] ?? 0) | ((octets[2 * word + 1] ?? 0) << 8));
}

const ROTATIONS = [1, 2, 3, 5] as const;
const MASHES_BEFORE = new Set([5, 11]);

/** Encrypts one block of four 16-bit words in place (RFC 2268 section 3). */
function encryptBlock(words: Uint16Array, key: Uint16Array): void {
  const r = (index: number): number => words[index & 3] ?? 0;
  for (let round = 0; round < 16; round++) {
    if (MASHES_BEFORE.has(round)) for (let index = 0; index < 4; index++) words[index] = r(index) + (key[r(index + 3) & 63] ?? 0);
    for (let index = 0; index < 4; index++) {
      const sum = (r(index) + (key[4 * round + index] ?? 0) + (r(index + 3) & r(index + 2)) + (~r(index + 3) & r(index + 1))) & 0xffff;
      const by = ROTATIONS[index] ?? 0;
      words[index] = (sum << by) | (sum >>> (16 - by));
    }
  }
}

/** Decrypts one block of four 16-bit words in place (RFC 2268 section 4). */
function decryptBlock(words: Uint16Array, key: Uint16Array): void {
  const r = (index: number): number => words[index & 3] ?? 0;
  for (let round = 15; round >= 0; round--) {
    for (let index = 3; index >= 0; index--) {
      const by = ROTATIONS[index] ?? 0;
      const turned = (r(index) >>> by) | (r(index) << (16 - by));
      words[index] = turned - (key[4 * round + index] ?? 0) - (r(index + 3) & r(index + 2)) - (~r(index + 3) & r(index + 1));
    }
    if (MASHES_BEFORE.has(round)) for (let index = 3; index >= 0; index--) words[index] = r(index) - (key[r(index + 3) & 63] ?? 0);
  }
}

const wordAt = (bytes: Uint8Array, at: number): number => (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8);

function putWord(bytes: Uint8Array, at: number, word: number): void {
  bytes[at] = word & 255;
  bytes[at + 1] = word >>> 8;
}

/** RC2 in CBC mode over whole blocks of 8 octets, without padding. */
export function rc2CbcDecryptBlocks(key: Uint16Array, iv: Uint8Array, data: Uint8Array): Uint8Array {
  const out = new Uint8Array(data.length);
  const words = new Uint16Array(4);
  for (let at = 0; at + 8 <= data.length; at += 8) {
    for (let index = 0; index < 4; index++) words[index] = wordAt(data, at + 2 * index);
    decryptBlock(words, key);
    const [before, from] = at === 0 ? [iv, 0] : [data, at - 8];
    for (let index = 0; index < 4; index++) putWord(out, at + 2 * index, (words[index] ?? 0) ^ wordAt(before, from + 2 * index));
  }
  return out;
}

/** The reverse of rc2CbcDecryptBlocks. */
export function rc2CbcEncryptBlocks(key: Uint16Array, iv: Uint8Array, data: Uint8Array): Uint8Array {
  const out = new Uint8Array(data.length);
  const words = new Uint16Array(4);
  for (let at = 0; at + 8 <= data.length; at += 8) {
    const [before, from] = at === 0 ? [iv, 0] : [out, at - 8];
    for (let index = 0; index < 4; index++) words[index] = wordAt(data, at + 2 * index) ^ wordAt(before, from + 2 * index);
    encryptBlock(words, key);
    for (let index = 0; index < 4; index++) putWord(out, at + 2 * index, words[index] ?? 0);
  }
  return out;
}
