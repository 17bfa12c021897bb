import type { AlertName } from "./types.ts";

/** Numbers of the alerts certfarm sends itself (RFC 8446 section 6, RFC 6066 section 3). */
export const ALERTS = {
  unexpected_message: 10,
  handshake_failure: 40,
  decode_error: 50,
  internal_error: 80,
  unrecognized_name: 112,
} as const satisfies Record<AlertName, number>;

const RECORD_ALERT = 21;
const LEVEL_FATAL = 2;

/**
 * A fatal alert as a plaintext TLS record of 7 octets, to be written before any ServerHello. The record's version is
 * TLS 1.2's, which stands for 1.3 as well (RFC 8446 section 5.1); clients take any 3.x here.
 */
export function alertRecord(name: AlertName): Uint8Array {
  return Uint8Array.of(RECORD_ALERT, 3, 3, 0, 2, LEVEL_FATAL, ALERTS[name]);
}
