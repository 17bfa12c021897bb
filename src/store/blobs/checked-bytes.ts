import { createHash } from "node:crypto";

import { FarmError } from "../../base/index.ts";

/**
 * Hands octets on and checks their digest on the way. The last piece is held back until the digest is right, so that nobody takes
 * something damaged for whole. @throws STORE_CORRUPT when they are not what `hex` says
 */
export async function* checkedBytes(source: AsyncIterable<Uint8Array>, hex: string, where: string): AsyncGenerator<Uint8Array> {
  const hash = createHash("sha256");
  let held: Uint8Array | undefined;
  for await (const piece of source) {
    hash.update(piece);
    if (held !== undefined) yield held;
    held = piece;
  }
  const found = hash.digest("hex");
  if (found !== hex) throw new FarmError("STORE_CORRUPT", `${where} does not match its digest`, { facts: { file: where, found } });
  if (held !== undefined) yield held;
}
