import { createHmac, createSecretKey, type KeyObject } from "node:crypto";

import { FarmError } from "../base/index.ts";

/** The key that wraps the farm's data keys. It is never in the store. */
export interface FarmKey {
  readonly key: KeyObject;
  /** 16 hexadecimal digits that tell farm keys apart and say nothing of the key. */
  readonly id: string;
}

/** Octets of a farm key. */
export const FARM_KEY_BYTES = 32;
/** Base64 with a line's end, and some air. */
export const MAX_FARM_KEY_TEXT = 256;

const BASE64 = /^[A-Za-z0-9+/]{43}=?$/;

/**
 * A farm key from 32 raw octets, or the same in base64 with white space around it. `where` is for messages, which never quote the text.
 * @throws SECRETS_KEY_INVALID
 */
export function parseFarmKey(bytes: Uint8Array, where: string): FarmKey {
  if (bytes.byteLength === FARM_KEY_BYTES) return farmKeyOf(bytes, where);
  const text = bytes.byteLength > MAX_FARM_KEY_TEXT ? "" : Buffer.from(bytes).toString("latin1").trim();
  if (BASE64.test(text)) return farmKeyOf(Buffer.from(text, "base64"), where);
  throw new FarmError(
    "SECRETS_KEY_INVALID",
    `${where} holds no farm key: neither 32 octets nor their base64 (${bytes.byteLength} octets)`,
    {
      facts: { where },
    },
  );
}

function farmKeyOf(bytes: Uint8Array, where: string): FarmKey {
  if (new Set(bytes).size < 8)
    throw new FarmError("SECRETS_KEY_INVALID", `${where} holds no random key: its octets repeat`, { facts: { where } });
  const key = createSecretKey(bytes);
  return { key, id: createHmac("sha256", key).update("certfarm farm key id").digest("hex").slice(0, 16) };
}
