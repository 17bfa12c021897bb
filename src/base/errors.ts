import { ACCESS_ERRORS } from "./access-errors.ts";
import type { ErrorRow } from "./error-row.ts";
import { IDENTITY_ERRORS } from "./identity-errors.ts";
import { OPERATING_ERRORS } from "./operating-errors.ts";
import { PROCESS_ERRORS } from "./process-errors.ts";
import { SECRETS_ERRORS } from "./secrets-errors.ts";
import { SERVING_ERRORS } from "./serving-errors.ts";

/**
 * Every error certfarm can raise. docs/errors.md, HTTP statuses and exit codes are derived from it.
 * Codes are public API: renaming one is a breaking change.
 */
export const ERRORS = {
  ...SERVING_ERRORS,
  ...ACCESS_ERRORS,
  ...OPERATING_ERRORS,
  ...PROCESS_ERRORS,
  ...IDENTITY_ERRORS,
  ...SECRETS_ERRORS,
} as const satisfies Record<string, ErrorRow>;

/** A code of the ERRORS table. */
export type ErrorCode = keyof typeof ERRORS;

/** Plain data about what was concerned: file, host, node, line. Never a secret. */
export type Facts = Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>;

/**
 * The only error that certfarm throws on purpose: a code of ERRORS, a sentence that names what was concerned, and facts.
 * Foreign errors are wrapped with `cause` where they enter.
 */
export class FarmError extends Error {
  override readonly name = "FarmError";
  readonly code: ErrorCode;
  readonly facts: Facts;

  constructor(code: ErrorCode, message: string, options: { facts?: Facts; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.facts = options.facts ?? {};
  }

  /** The remedy of this error's row. */
  get remedy(): string {
    return ERRORS[this.code].remedy;
  }

  toJSON(): { code: ErrorCode; message: string; remedy: string; facts: Facts } {
    return { code: this.code, message: this.message, remedy: this.remedy, facts: this.facts };
  }
}

/** Any thrown value as a FarmError: itself when it is one, else wrapped under `fallback`. */
export function toFarmError(thrown: unknown, fallback: ErrorCode = "INTERNAL"): FarmError {
  if (thrown instanceof FarmError) return thrown;
  return new FarmError(fallback, messageOf(thrown), { cause: thrown });
}

/** Anything can be thrown, also what has no text. */
function messageOf(thrown: unknown): string {
  if (thrown instanceof Error) return thrown.message;
  try {
    return String(thrown);
  } catch {
    return "something without a text was thrown";
  }
}

/** The `code` of a Node system error (`ENOENT`, `ECONNREFUSED`), or undefined. */
export function systemCode(thrown: unknown): string | undefined {
  if (!(thrown instanceof Error) || !("code" in thrown)) return undefined;
  return typeof thrown.code === "string" ? thrown.code : undefined;
}
