import type { IncomingHttpHeaders } from "node:http";

/** What is known of the representation that would be sent. */
export interface Validators {
  /** Strong, with its quotes. */
  readonly etag: string;
  /** Whole seconds, as HTTP dates are. */
  readonly modifiedS: number;
}

/** True when the fields are only those that `notModified` decides alone. */
export const onlyRevalidates = (headers: IncomingHttpHeaders): boolean =>
  headers.range === undefined && headers["if-match"] === undefined && headers["if-unmodified-since"] === undefined;

/** Whether a GET or HEAD is answered with 304 (RFC 9110 section 13.2.2): If-None-Match first, If-Modified-Since only without it. */
export function notModified(headers: IncomingHttpHeaders, validators: Validators): boolean {
  const none = headers["if-none-match"];
  if (none !== undefined) {
    return none.trim() === "*" || none.split(",", 64).some((tag) => tag.trim().replace(/^W\//, "") === validators.etag);
  }
  const since = headers["if-modified-since"];
  const date = since === undefined ? Number.NaN : Date.parse(since);
  return !Number.isNaN(date) && validators.modifiedS * 1000 <= date;
}
