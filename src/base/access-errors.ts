import { row, type ErrorRow } from "./error-row.ts";

/** What can go wrong with who may use the admin API, and with the audit log. */
export const ACCESS_ERRORS = {
  ADMIN_FORBIDDEN: row(
    "The caller's role does not allow the call",
    403,
    4,
    "Use a token or an identity of the role that is named; `certfarm token add NAME --role ROLE` makes a token.",
  ),
} as const satisfies Record<string, ErrorRow>;
