import type { ErrorRow } from "./error-row.ts";
import { ERRORS } from "./errors.ts";

const HEAD = `# Errors

Every error has a code, a message that names what is concerned, and a remedy. The command line prints all three and exits with the code
below; the admin API answers with the HTTP status and \`{"code", "message", "remedy", "facts"}\`. Codes are public: they do not change.

Exit codes: 0 = done, 1 = looked and found something wrong, 2 = a wrong call, or it could not be looked, 3 = somebody else was first,
4 = refused. *Later* = the same call may succeed later without a change.

This page is generated from the table in \`src/base/errors.ts\` by \`node scripts/write-errors-page.mjs\`.
`;

/** docs/errors.md. */
export function errorsPage(): string {
  const blocks = Object.entries<ErrorRow>(ERRORS)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([code, { title, status, exit, retryable, remedy }]) => {
      const facts = `Exit ${exit}, HTTP ${status}${retryable ? ", later" : ""}.`;
      return `## ${code}\n\n${title}. ${facts}\n\n${remedy}\n`;
    });
  return [HEAD, ...blocks].join("\n");
}
