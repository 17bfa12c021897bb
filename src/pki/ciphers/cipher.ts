import { createDecipheriv } from "node:crypto";

import { expandRc2Key, rc2CbcDecryptBlocks } from "./rc2.ts";
import { rc4 } from "./rc4.ts";

/** A cipher of certificate and key files, decrypting only. Sizes in octets; a stream cipher has block 1 and no IV. */
export interface Cipher {
  /** For people: `AES-256-CBC`. */
  readonly label: string;
  readonly keySize: number;
  readonly ivSize: number;
  readonly block: number;
  /** Among those that OpenSSL 3 has only in its legacy provider. */
  readonly legacy: boolean;
  /** The plain text without its padding (RFC 5652 section 6.3); undefined when the padding is wrong, as it is with a wrong key. */
  decrypt(key: Uint8Array, iv: Uint8Array, data: Uint8Array): Uint8Array | undefined;
}

/** A CBC cipher that every OpenSSL 3 has in its default provider. `widen` makes the key that node:crypto takes. */
function nodeCbc(
  label: string,
  name: string,
  sizes: readonly [key: number, block: number],
  widen?: (key: Uint8Array) => Uint8Array,
): Cipher {
  const [keySize, block] = sizes;
  return {
    label,
    keySize,
    ivSize: block,
    block,
    legacy: label.startsWith("DES-CBC"),
    decrypt(key, iv, data) {
      const decipher = createDecipheriv(name, widen === undefined ? key : widen(key), iv).setAutoPadding(false);
      return unpadded(Buffer.concat([decipher.update(data), decipher.final()]), block);
    },
  };
}

/** RC2 in CBC mode with a key of `keySize` octets of which `effectiveBits` count. */
export function rc2Cbc(keySize: number, effectiveBits: number): Cipher {
  return {
    label: `RC2-${effectiveBits}-CBC`,
    keySize,
    ivSize: 8,
    block: 8,
    legacy: true,
    decrypt: (key, iv, data) => unpadded(rc2CbcDecryptBlocks(expandRc2Key(key, effectiveBits), iv, data), 8),
  };
}

/** RC4 with a key of `keySize` octets. */
export function rc4Stream(keySize: number): Cipher {
  return { label: `RC4-${keySize * 8}`, keySize, ivSize: 0, block: 1, legacy: true, decrypt: (key, _iv, data) => rc4(key, data) };
}

function unpadded(data: Uint8Array, block: number): Uint8Array | undefined {
  const count = data.at(-1) ?? 0;
  if (count < 1 || count > block || count > data.length) return undefined;
  for (const octet of data.subarray(data.length - count)) if (octet !== count) return undefined;
  return data.subarray(0, data.length - count);
}

/** Two keys serve as three, the first again as the third; one key serves as all three, which is single DES. */
const twoKeys = (key: Uint8Array): Uint8Array => Buffer.concat([key, key.subarray(0, 8)]);
const oneKey = (key: Uint8Array): Uint8Array => Buffer.concat([key, key, key]);

/** The ciphers with fixed sizes. */
export const CIPHER = {
  aes128: nodeCbc("AES-128-CBC", "aes-128-cbc", [16, 16]),
  aes192: nodeCbc("AES-192-CBC", "aes-192-cbc", [24, 16]),
  aes256: nodeCbc("AES-256-CBC", "aes-256-cbc", [32, 16]),
  camellia128: nodeCbc("CAMELLIA-128-CBC", "camellia-128-cbc", [16, 16]),
  camellia192: nodeCbc("CAMELLIA-192-CBC", "camellia-192-cbc", [24, 16]),
  camellia256: nodeCbc("CAMELLIA-256-CBC", "camellia-256-cbc", [32, 16]),
  tripleDes: nodeCbc("DES-EDE3-CBC", "des-ede3-cbc", [24, 8]),
  twoKeyTripleDes: nodeCbc("DES-EDE2-CBC", "des-ede3-cbc", [16, 8], twoKeys),
  des: nodeCbc("DES-CBC", "des-ede3-cbc", [8, 8], oneKey),
} as const;
