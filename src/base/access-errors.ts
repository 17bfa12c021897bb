import { passing, row, type ErrorRow } from "./error-row.ts";

/** What can go wrong with who may use the admin API, and with the audit log. */
export const ACCESS_ERRORS = {
  ADMIN_FORBIDDEN: row(
    "The caller's role does not allow the call",
    403,
    4,
    "Use a token or an identity of the role that is named; `certfarm token add NAME --role ROLE` makes a token.",
  ),
  ADMIN_TOKEN_EXPIRED: row("The caller's token has expired", 401, 2, "Make another one: `certfarm token add NAME --role ROLE`."),
  ADMIN_CERTIFICATE_REFUSED: row(
    "The caller's certificate is no identity that the farm believes",
    401,
    2,
    "Join again when it has expired or was revoked; give the identity of this farm: --identity DIR.",
  ),
  ADMIN_TOO_MANY_FAILURES: passing(
    "An address failed to log in too often",
    429,
    2,
    "Wait for the time that is named, and give the right token: --token-file FILE.",
  ),
  ADMIN_HTTPS_ONLY: row("The admin API was called without TLS where it speaks TLS only", 400, 2, "Call it by https://."),
  ADMIN_REQUEST_MALFORMED: row(
    "A request to the admin API is no HTTP request, or its headers are too large",
    400,
    2,
    "Look at what sends it.",
  ),
  ADMIN_IDENTITY_NEEDED: row(
    "The admin API is to be reached from other machines and has no identity",
    500,
    2,
    "Make the farm's authority and an identity with `certfarm init`, and give its folder: --identity DIR; or leave --admin-listen out.",
  ),
  ADMIN_SERVER_UNTRUSTED: row(
    "What answers there does not prove to be the farm's admin API",
    502,
    2,
    "Check the address; give the farm's own authority: --authority FILE, or --identity DIR. Nothing was sent.",
  ),
  TOKEN_NAME_TAKEN: row("A token of that name exists", 409, 3, "Give another name, or revoke it: `certfarm token revoke NAME`."),
  TOKEN_UNKNOWN: row("The farm has no such token", 404, 2, "Look at `certfarm token list`."),
  TOKEN_LIMIT: row(
    "The farm has too many tokens",
    409,
    3,
    "Revoke those that nobody uses: `certfarm token list`, `certfarm token revoke NAME`.",
  ),
  AUDIT_DAMAGED: row(
    "The audit log in the store is damaged",
    500,
    2,
    "Look at `certfarm audit verify`: it names the first broken entry. Changes are refused until it is mended: see docs/audit.md.",
  ),
  AUDIT_BUSY: passing("The audit log could not be written, because others wrote all the time", 503, 3, "Repeat the call."),
  AUDIT_FULL: row(
    "The audit log is full, because old entries cannot be kept outside of the store",
    507,
    2,
    "Make room where the admin API keeps them (the folder `audit` in its own folder), and let it write there.",
  ),
} as const satisfies Record<string, ErrorRow>;
