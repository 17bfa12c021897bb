/** One row of the table of errors: everything that is derived from a code. */
export interface ErrorRow {
  /** What happened, for docs/errors.md. */
  readonly title: string;
  /** HTTP status of the admin API. */
  readonly status: number;
  /** Exit code of the command line: 1 = looked and found something wrong, 2 = bad call or could not look, 3 = conflict, 4 = refused. */
  readonly exit: 1 | 2 | 3 | 4;
  /** True when the same call may succeed later without a change. */
  readonly retryable: boolean;
  /** What to do next, in the imperative; names a command where one exists. */
  readonly remedy: string;
}

type Status = ErrorRow["status"];
type Exit = ErrorRow["exit"];

const row = (title: string, status: Status, exit: Exit, remedy: string): ErrorRow => ({ title, status, exit, retryable: false, remedy });

/** A row for what may succeed later without a change. */
const passing = (title: string, status: Status, exit: Exit, remedy: string): ErrorRow => ({ title, status, exit, retryable: true, remedy });

/**
 * Every error certfarm can raise. docs/errors.md, HTTP statuses and exit codes are derived from it.
 * Codes are public API: renaming one is a breaking change.
 */
export const ERRORS = {
  // base
  HOST_NAME_INVALID: row(
    "A host name is not a valid DNS name",
    400,
    2,
    "Give a DNS name such as www.example.com, without a port or an address.",
  ),
  ENDPOINT_INVALID: row("An address is not IP:PORT", 400, 2, "Write 10.0.0.4:443 or [2001:db8::4]:443."),
  INTERNAL: row("certfarm itself failed", 500, 2, "Report this with the log lines around it."),
  CANCELLED: passing(
    "The operation was cancelled or ran out of time",
    503,
    2,
    "Try again; look at `certfarm status` for a node that does not answer.",
  ),
  // pki
  // bindings
  BINDING_ROW_INVALID: row("A binding table row is not valid", 400, 2, "See docs/bindings.md for the four kinds of rows and their form."),
  BINDING_ROW_EXISTS: row(
    "The binding table has a row for that endpoint already",
    409,
    3,
    "Look at `certfarm bindings show`; delete the row first.",
  ),
  BINDING_ROW_ABSENT: row("The binding table has no such row", 404, 2, "Look at `certfarm bindings show` for the rows there are."),
  // config
  // store
  STORE_KEY_INVALID: row("A store key is not valid", 400, 2, "Keys are /-separated names without empty parts, `.` or `..`."),
  STORE_VALUE_TOO_LARGE: row(
    "A value is larger than the store takes",
    413,
    2,
    "Values are limited to 512 KiB; put larger data into content.",
  ),
  STORE_CONFLICT: row(
    "Somebody else changed the same thing first",
    409,
    3,
    "Read the present state, apply your change to it and try again.",
  ),
  STORE_UNKNOWN: passing("A write was sent but its outcome is unknown", 503, 2, "Read the state back before doing anything else."),
  STORE_UNAVAILABLE: passing(
    "The store cannot be reached or read",
    503,
    2,
    "Check that the store's folder or share is mounted and readable.",
  ),
  STORE_CORRUPT: row("The store holds a damaged entry", 500, 2, "Restore the named file from a backup or remove it."),
  // certificates
  // replica
  // web
  // node
  // balancer
  // operations
  // admin and cli
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
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new FarmError(fallback, message, { cause: thrown });
}

/** The `code` of a Node system error (`ENOENT`, `ECONNREFUSED`), or undefined. */
export function systemCode(thrown: unknown): string | undefined {
  if (!(thrown instanceof Error) || !("code" in thrown)) return undefined;
  return typeof thrown.code === "string" ? thrown.code : undefined;
}
