/** RC4 over the whole of `data`; encrypting and decrypting are the same. */
export function rc4(key: Uint8Array, data: Uint8Array): Uint8Array {
  const state = Uint8Array.from({ length: 256 }, (_, index) => index);
  const swap = (a: number, b: number): void => {
    const kept = state[a] ?? 0;
    state[a] = state[b] ?? 0;
    state[b] = kept;
  };
  for (let index = 0, other = 0; index < 256; index++) {
    other = (other + (state[index] ?? 0) + (key[index % key.length] ?? 0)) & 255;
    swap(index, other);
  }
  let index = 0;
  let other = 0;
  return data.map((octet) => {
    index = (index + 1) & 255;
    other = (other + (state[index] ?? 0)) & 255;
    swap(index, other);
    return octet ^ (state[((state[index] ?? 0) + (state[other] ?? 0)) & 255] ?? 0);
  });
}
