import { ERRORS, toFarmError } from "../base/index.ts";

/** Ends the process with what went wrong and what to do next on standard error, and the exit code of the errors table. */
export function fail(thrown: unknown): void {
  const error = toFarmError(thrown);
  process.stderr.write(`certfarm: ${error.message} (${error.code})\n  → ${error.remedy}\n`);
  process.exitCode = ERRORS[error.code].exit;
  if (process.connected) process.disconnect(); // the channel to a parent would keep the process
}
