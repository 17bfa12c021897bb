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

/** A row for what goes on failing until somebody changes something. */
export const row = (title: string, status: Status, exit: Exit, remedy: string): ErrorRow => ({
  title,
  status,
  exit,
  retryable: false,
  remedy,
});

/** A row for what may succeed later without a change. */
export const passing = (title: string, status: Status, exit: Exit, remedy: string): ErrorRow => ({
  title,
  status,
  exit,
  retryable: true,
  remedy,
});
