import { toFarmError } from "../base/index.ts";
import type { Algorithm } from "./algorithm.ts";
import { readEncryptionScheme, type EncryptionScheme } from "./encryption-scheme.ts";
import type { KeyRing } from "./passwords.ts";
import { scan } from "./tlv.ts";

/** What was opened, and by which scheme. */
export interface Opened {
  readonly scheme: EncryptionScheme;
  /** Undefined when no password opens it. */
  readonly plain: Uint8Array | undefined;
}

/**
 * Decrypts data that must be one ASN.1 SEQUENCE: padding alone lets one wrong password in 256 pass.
 * @throws CERTIFICATE_UNSUPPORTED, CERTIFICATE_MALFORMED, CERTIFICATE_TOO_COSTLY
 */
export async function openEncrypted(encrypted: { algorithm: Algorithm; data: Uint8Array; what: string }, keys: KeyRing): Promise<Opened> {
  const scheme = readEncryptionScheme(encrypted.algorithm);
  const use = { kind: scheme.kind, cost: scheme.cost, what: `${encrypted.what} (${scheme.label})` };
  const plain = await keys.open(use, async (password) => {
    const found = await scheme.decrypt(password, encrypted.data);
    return found !== undefined && looksLikeSequence(found) ? found : undefined;
  });
  return { scheme, plain };
}

function looksLikeSequence(bytes: Uint8Array): boolean {
  if (bytes[0] !== 0x30) return false;
  try {
    scan(bytes, Number.MAX_SAFE_INTEGER);
    return true;
  } catch (thrown) {
    // Too many values are the reader's verdict to give, not the sign of a wrong password.
    return toFarmError(thrown).code === "CERTIFICATE_TOO_COSTLY";
  }
}
