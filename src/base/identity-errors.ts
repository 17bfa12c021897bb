import { passing, row, type ErrorRow } from "./error-row.ts";

/** What can go wrong with the farm's authority, with identities, and when a machine joins. */
export const IDENTITY_ERRORS = {
  IDENTITY_FOLDER_UNUSABLE: row(
    "An identity's folder is damaged or cannot be read or written",
    500,
    2,
    "Mend the named file's permissions; or remove the folder `identity` and join again with a new token.",
  ),
  IDENTITY_AUTHORITY_UNSUITABLE: row(
    "A certificate or key cannot be the farm's authority",
    422,
    2,
    "Give a self-signed certificate that may sign certificates, with its unencrypted PEM key; or let `certfarm init` make one.",
  ),
  IDENTITY_AUTHORITY_ABSENT: row("The store has no authority", 409, 2, "Make one with `certfarm init DIR --store PLACE`."),
  IDENTITY_AUTHORITY_OTHER: row(
    "The store has another authority than the one that was given",
    409,
    3,
    "Give the farm's own authority folder, or another store; `certfarm init --replace` changes a farm's authority.",
  ),
  IDENTITY_AUTHORITY_KEY_ABSENT: row(
    "The authority's key is needed and is not here",
    409,
    2,
    "Start the admin API with --local DIR, the folder that `certfarm init` made; or run the command with it on that machine.",
  ),
  IDENTITY_NAME_INVALID: row(
    "An identity's name is not a valid name",
    400,
    2,
    "Use 1 to 63 letters, digits, dots, hyphens and underscores, with a letter or digit first and last, as in farm.yaml.",
  ),
  IDENTITY_TOKEN_MALFORMED: row(
    "A join token is not as `certfarm node token` prints it",
    400,
    2,
    "Copy the whole token, one line that begins with `certfarm-join-`.",
  ),
  IDENTITY_TOKEN_UNKNOWN: row("The farm knows no such join token", 401, 2, "Make a new one with `certfarm node token NAME`."),
  IDENTITY_TOKEN_EXPIRED: row(
    "A join token has expired",
    401,
    2,
    "Make a new one with `certfarm node token NAME`, and use it within its time.",
  ),
  IDENTITY_TOKEN_USED: row(
    "A join token has been used already",
    409,
    3,
    "If it was not you, revoke the identity with `certfarm node revoke NAME`; then make a new token.",
  ),
  IDENTITY_TOKEN_NAME_WRONG: row(
    "A join token is for another name or role",
    403,
    4,
    "Join as what the token was made for, or make a token for this one.",
  ),
  IDENTITY_SERVER_UNTRUSTED: row(
    "The admin API that was reached is not the farm's",
    502,
    2,
    "Check the address; a new token names the farm's present authority. Nothing was sent.",
  ),
  IDENTITY_REQUEST_INVALID: row(
    "A certificate was asked for in a way that the authority does not take",
    400,
    2,
    "Run the same certfarm version on both machines.",
  ),
  IDENTITY_REFUSED: row(
    "A certificate is no identity of this farm",
    403,
    4,
    "Look at `certfarm identities list`; join again with a new token when it was revoked or has expired.",
  ),
  IDENTITY_REVOKED: row("An identity was revoked", 403, 4, "Make a new token with `certfarm node token NAME` and join again."),
  IDENTITY_UNKNOWN: row("The farm has no identity of that name or serial", 404, 2, "Look at `certfarm identities list`."),
  IDENTITY_EXISTS: row(
    "A folder holds an identity already",
    409,
    3,
    "Nothing was changed. Remove its folder `identity` to join as somebody else.",
  ),
  REPORT_REFUSED: row(
    "What is stored as a node's report was not signed by that node",
    502,
    2,
    "If the node has not joined the farm yet, join it: `certfarm node join`. If it was revoked, that is how it is. Else somebody else writes into the store: see docs/security.md.",
  ),
  IDENTITY_RENEWAL_FAILED: passing(
    "An identity could not be renewed",
    503,
    2,
    "Check that the admin API runs with the authority's folder (--local DIR) and is reached from this machine; it is tried again by itself.",
  ),
  // what is signed
  REQUEST_REFUSED: row(
    "A node does not believe a request: nobody who may has signed it for this node and this moment",
    403,
    4,
    "Run the command with an admin identity of this farm (`certfarm init` makes the first one, `certfarm node token NAME --role admin` others); the message names what is wrong.",
  ),
  ANSWER_REFUSED: row(
    "An answer in a node's name was not signed by that node",
    502,
    2,
    "If the node has not joined the farm yet, join it: `certfarm node join`. Else somebody else writes into the store: see docs/security.md.",
  ),
  CONFIG_REVISION_REFUSED: row(
    "A revision of the shared configuration is not signed by an admin of this farm",
    409,
    3,
    "Nodes go on with the last good one. Look at `certfarm config history`; apply the right configuration with an admin identity.",
  ),
  CONTENT_REFUSED: row(
    "The content of a site was not published by an admin of this farm",
    409,
    3,
    "Nodes go on with what they have. Run the admin API with an admin identity: it publishes `content/` anew; or `certfarm content push`.",
  ),
  SIGNING_ROLE_WRONG: row(
    "Only a process with an admin identity may change this farm",
    403,
    4,
    "Run the command on a machine with an admin identity, or through the admin API of one.",
  ),
} as const satisfies Record<string, ErrorRow>;
