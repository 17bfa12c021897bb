import { FarmError } from "../base/index.ts";

/** What reading a file over the caller's limit throws. */
export const tooLarge = (file: string, bytes: number, maxBytes: number): FarmError =>
  new FarmError("STORE_VALUE_TOO_LARGE", `${file} has ${bytes} octets; at most ${maxBytes} are read`, { facts: { file, bytes, maxBytes } });

/** What writing a file over another version than the expected one throws. */
export const changedMeanwhile = (file: string): FarmError =>
  new FarmError("STORE_CONFLICT", `${file} is no longer what it was when it was read; nothing was written`, { facts: { file } });
