import { ERRORS, type ErrorCode } from "../base/index.ts";
import type { FileStatus } from "./types.ts";

/** The statuses that reading bytes can end with besides `ok`; `unreadable` is for whoever fetches the bytes. */
export type Failure = Exclude<FileStatus, "ok" | "unreadable">;

/** What an operator does about each status. */
export const REMEDIES: Readonly<Record<Failure, string>> = {
  "wrong-password": ERRORS.CERTIFICATE_PASSWORD_WRONG.remedy,
  "no-key": "Export the certificate again together with its private key (on Windows: tick `Yes, export the private key`).",
  "no-certificate": "Put the certificate and its chain into the file, or the `.crt` beside the `.key`.",
  "key-mismatch": "Put the key that the certificate was issued for into the file, or have the certificate issued again for this key.",
  expired: "Renew the certificate and replace the file.",
  "not-yet-valid": "Wait until the certificate is valid, or check the clock of this machine.",
  "unsupported-algorithm": ERRORS.CERTIFICATE_UNSUPPORTED.remedy,
  malformed: ERRORS.CERTIFICATE_MALFORMED.remedy,
  "too-costly": ERRORS.CERTIFICATE_TOO_COSTLY.remedy,
};

/** The statuses that errors of this room stand for. */
export const STATUS_OF: Partial<Record<ErrorCode, Failure>> = {
  CERTIFICATE_MALFORMED: "malformed",
  CERTIFICATE_UNSUPPORTED: "unsupported-algorithm",
  CERTIFICATE_TOO_COSTLY: "too-costly",
  CERTIFICATE_PASSWORD_WRONG: "wrong-password",
};
