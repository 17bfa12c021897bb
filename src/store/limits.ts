import { FarmError } from "../base/index.ts";

/** What reading a file over the caller's limit throws. */
export const tooLarge = (file: string, bytes: number, maxBytes: number): FarmError =>
  new FarmError("STORE_VALUE_TOO_LARGE", `${file} has ${bytes} octets; at most ${maxBytes} are read`, { facts: { file, bytes, maxBytes } });
