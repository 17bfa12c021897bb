import { expect, test } from "vitest";

import { expandRc2Key, rc2CbcDecryptBlocks, rc2CbcEncryptBlocks } from "./rc2.ts";

const hex = (text: string): Uint8Array => Buffer.from(text, "hex");

// RFC 2268 section 5.
test.each([
  ["0000000000000000", 63, "0000000000000000", "ebb773f993278eff"],
  ["ffffffffffffffff", 64, "ffffffffffffffff", "278b27e42e2f0d49"],
  ["3000000000000000", 64, "1000000000000001", "30649edf9be7d2c2"],
  ["88", 64, "0000000000000000", "61a8a244adacccf0"],
  ["88bca90e90875a", 64, "0000000000000000", "6ccf4308974c267f"],
  ["88bca90e90875a7f0f79c384627bafb2", 64, "0000000000000000", "1a807d272bbe5db1"],
  ["88bca90e90875a7f0f79c384627bafb2", 128, "0000000000000000", "2269552ab0f85ca6"],
  ["88bca90e90875a7f0f79c384627bafb216f80a6f85920584c42fceb0be255daf1e", 129, "0000000000000000", "5b78d3a43dfff1f1"],
])("the key %s of %d effective bits turns %s into %s and back", (key, bits, plain, sealed) => {
  const expanded = expandRc2Key(hex(key), bits);
  const iv = new Uint8Array(8);
  expect(Buffer.from(rc2CbcEncryptBlocks(expanded, iv, hex(plain))).toString("hex")).toBe(sealed);
  expect(Buffer.from(rc2CbcDecryptBlocks(expanded, iv, hex(sealed))).toString("hex")).toBe(plain);
});

test("blocks are chained: equal plain blocks become different sealed blocks, and come back", () => {
  const expanded = expandRc2Key(hex("88bca90e90"), 40);
  const iv = hex("0123456789abcdef");
  const plain = Buffer.alloc(64, 7);
  const sealed = Buffer.from(rc2CbcEncryptBlocks(expanded, iv, plain));
  const blocks = new Set(sealed.toString("hex").match(/.{16}/g));
  expect(blocks.size).toBe(8);
  expect(Buffer.from(rc2CbcDecryptBlocks(expanded, iv, sealed))).toEqual(plain);
});
