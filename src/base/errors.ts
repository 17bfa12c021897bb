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
  CERTIFICATE_MALFORMED: row(
    "A certificate, key or certificate file is damaged or not in its format",
    422,
    2,
    "Export the certificate with its key again and replace the file; docs/certificates.md says how.",
  ),
  CERTIFICATE_UNSUPPORTED: row(
    "A certificate file uses an algorithm or format that certfarm does not read",
    422,
    2,
    "Export it again as PKCS#12 with AES-256 (or 3DES) and an RSA, ECDSA or Ed25519 key; docs/certificates.md says how.",
  ),
  CERTIFICATE_TOO_COSTLY: row(
    "A certificate file is larger or asks for more work than is allowed",
    422,
    2,
    "Export it again with at most 600,000 iterations and only the chain it needs.",
  ),
  CERTIFICATE_PASSWORD_WRONG: row(
    "None of the given passwords opens a certificate file",
    422,
    2,
    "Give the password the file was exported with; docs/certificates.md says where passwords are set.",
  ),
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
  CONFIG_INVALID: row("farm.yaml is not valid", 400, 1, "Mend every line that is named; try with `certfarm config validate FILE`."),
  CONFIG_UNREADABLE: row("A configuration file cannot be read", 400, 2, "Check the path and its permissions."),
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
  STORE_URL_INVALID: row("A store's address is not valid", 400, 2, "Write etcds://HOST:2379,HOST:2379/PREFIX; docs/store.md shows it."),
  STORE_REFUSED: row(
    "The store refuses the user, the password or the access",
    502,
    4,
    "Check user and password, and the role with `etcdctl user get USER --detail`; docs/store.md names the rights it needs.",
  ),
  STORE_UNTRUSTED: row(
    "The store's TLS certificate is not trusted, or it does not trust ours",
    502,
    4,
    "Check the authority's file, the names in the member's certificate and the client certificate.",
  ),
  STORE_FULL: row(
    "The store's space is used up",
    507,
    2,
    "Compact and defragment etcd, then `etcdctl alarm disarm`; docs/store.md shows it. Nodes serve on meanwhile.",
  ),
  STORE_NEWER: row("The store was written by a newer certfarm", 409, 2, "Use that version of certfarm or a later one."),
  STORE_OF_ANOTHER_FARM: row(
    "The store belongs to another farm",
    409,
    2,
    "Give each farm a prefix and a directory of its own; docs/store.md says how they are bound together.",
  ),
  STORE_CORRUPT: row("The store holds a damaged entry", 500, 2, "Restore the named file from a backup or remove it."),
  // certificates
  CERTIFICATES_OVERLOADED: passing(
    "Too many certificate files wait to be read",
    503,
    2,
    "Try again in a moment; look for a scan of host names in `certfarm refusals`.",
  ),
  CERTIFICATES_READER_FAILED: passing(
    "The thread that opens certificate files does not run",
    500,
    2,
    "Look at the log lines around it; run `npm run build` when working from sources.",
  ),
  CERTIFICATES_PASSWORDS_INVALID: row(
    "The file of certificate passwords cannot be used",
    400,
    2,
    "Correct the named line; see docs/certificates.md for its form.",
  ),
  CERTIFICATES_KEPT_UNUSABLE: row(
    "The node's own copies of certificates cannot be opened",
    500,
    2,
    "Make the named folder writable for the node alone, or name another; a damaged key file may be removed: copies are made again.",
  ),
  // probe
  PROBE_ROOTS_INVALID: row(
    "The roots to verify against hold no certificate",
    400,
    2,
    "Give PEM files with the root certificates of the authority that signed what the farm serves.",
  ),
  // replica
  NODE_NO_ANSWER: passing(
    "A node did not answer a request in time",
    504,
    2,
    "Look at `certfarm status`: a node that does not report is down or cannot reach the store.",
  ),
  CONTENT_MOVED: passing(
    "A content file changed while it was read or copied",
    503,
    2,
    "Wait for the next manifest; it is made when the folder has settled.",
  ),
  // web
  CONTENT_DAMAGED: row(
    "A content file on a node's disk is not what its manifest says",
    500,
    1,
    "Remove the node's copy of the content; the node fetches it again.",
  ),
  ACCESS_LOG_UNWRITABLE: row(
    "The folder of the access log cannot be written",
    500,
    2,
    "Check that the folder exists, has room, and that the node's account may write to it.",
  ),
  // node
  NODE_OVERLOADED: passing(
    "Too many host names wait for their certificate",
    503,
    2,
    "Raise limits.maxLiveNames or add nodes; look at `certfarm refusals` for a scan.",
  ),
  NODE_DISK: passing("A node cannot use its own disk", 507, 2, "Free space or mend the permissions of the node's data directory."),
  NODE_TABLE_DAMAGED: row("A node's binding table file is damaged", 500, 2, "Remove the named file; the reconciler makes the table anew."),
  NODE_LISTEN: passing(
    "A node cannot listen on an address it was given",
    503,
    2,
    "Free the port or change the node's address in farm.yaml.",
  ),
  NODE_CLIENT_CA: row(
    "The CA file for client certificates cannot be used",
    409,
    2,
    "Put the PEM file of the authority into certificates/authorities/ of the store.",
  ),
  NODE_VERB_UNKNOWN: row("A node was asked for something it does not do", 400, 2, "Run the same certfarm version on every node."),
  NODE_NOT_CONFIGURED: row(
    "The shared configuration does not name this node",
    409,
    2,
    "Add the node to farm.yaml and run `certfarm config apply`, or start it under another --name.",
  ),
  NODE_DRILLS_OFF: row(
    "A node takes part in no drills",
    409,
    2,
    "Start the farm with `certfarm up --allow-drills`, or the node with `certfarm node --allow-drills`; never on a farm that must not fail.",
  ),
  DRILL_RUNS: row("A drill runs on that node already", 409, 2, "End it: `certfarm drill stop`."),
  DRILL_NOT_POSSIBLE: row("A drill cannot be done here", 409, 2, "Choose another host or node: `certfarm drill start NAME --host H --node N`."),
  DRILL_UNKNOWN: row("There is no drill of that name", 404, 2, "Look at `certfarm drill list`."),

  // balancer
  BALANCER_LISTEN_FAILED: row(
    "The balancer cannot listen on a port",
    500,
    2,
    "Free the port or give the balancer other ports in farm.yaml; ports below 1024 need the right to bind them.",
  ),
  // iis scripts
  IIS_REPAIR_REFUSED: row(
    "A repair script would delete a central row",
    409,
    4,
    "Leave central rows: every central certificate of the port depends on them.",
  ),
  // peers
  PEER_CONFIG_INVALID: row(
    "A configuration of nginx or HAProxy cannot be read",
    422,
    2,
    "Look at the named line; `nginx -t` or `haproxy -c` says more. Give what `nginx -T` prints to have all files in one.",
  ),
  // operations
  CONFIG_WOULD_BREAK: row(
    "A new configuration would break host names that are served now",
    409,
    4,
    "Look at `certfarm config plan FILE`; mend it, or allow each named host with `--allow-broken HOST`.",
  ),
  CONFIG_REVISION_ABSENT: row(
    "The shared configuration has no such revision",
    404,
    2,
    "Look at `certfarm config history`; the first one is made by `certfarm config apply FILE`.",
  ),
  NODE_UNKNOWN: row("The farm has no node of that name", 404, 2, "Look at `certfarm status` for the nodes there are."),
  DOCTOR_NOTHING_TO_LOOK_AT: row(
    "The doctor was given no host, no node or no evidence to look at",
    400,
    2,
    "Name hosts, and `--nodes ADDRESS,…` or `--evidence FILE,…`.",
  ),
  DOCTOR_FILE_UNREADABLE: row("A file that the doctor was given cannot be read", 400, 2, "Check its path and who may read it."),
  DOCTOR_RULE_UNKNOWN: row("The doctor has no such rule", 404, 2, "Look at `certfarm doctor rules`."),
  REPAIR_FINDING_UNKNOWN: row("No finding has that id or code now", 404, 2, "Look at `certfarm doctor`: what it finds can be repaired."),
  REPAIR_DRAIN_FAILED: passing(
    "A node that was drained for a repair is still in the balancer's rotation",
    503,
    2,
    "Look at `certfarm status`: the balancer may not reach the store. Nothing was changed on the node.",
  ),
  REPAIR_OUTDATED: row(
    "What a step of a repair was planned for is no longer so",
    409,
    3,
    "Look again with `certfarm doctor`; the next `certfarm repair` plans anew.",
  ),
  REPAIR_UNDER_WAY: passing(
    "Another repair of this farm is under way",
    409,
    3,
    "Wait for it; `certfarm repair history` shows it. One that crashed lets go within a minute.",
  ),
  // iis
  IIS_INPUT_TOO_LARGE: row(
    "A file of an IIS server is larger or deeper than is read",
    413,
    2,
    "Check what the file is; a table, configuration or evidence file of a server with 10,000 sites has less than 64 MiB.",
  ),
  IIS_CONFIG_MALFORMED: row(
    "A configuration file of an IIS server is not well-formed XML",
    422,
    2,
    "Look at the named line; copy the file again from the shared configuration when it was cut off.",
  ),
  IIS_EVIDENCE_INVALID: row(
    "An evidence file is not what the script of `certfarm iis collect` writes",
    422,
    2,
    "Collect it again with the script of this version; docs/iis.md has the form.",
  ),
  // admin, cli and app
  ADMIN_NOT_RUNNING: passing(
    "No admin API answers",
    503,
    2,
    "Start the farm with `certfarm up`, or name it: --farm DIR, or --admin URL with --token-file FILE.",
  ),
  ADMIN_UNAUTHORIZED: row(
    "The admin API does not take the token",
    401,
    2,
    "Give the token file that `certfarm up` or `certfarm admin` names: --token-file FILE.",
  ),
  ADMIN_HOST_REFUSED: row("The admin API was called by a name that it does not go by", 403, 2, "Call it as 127.0.0.1, [::1] or localhost."),
  ADMIN_ROUTE_ABSENT: row("The admin API has no such address", 404, 2, "Look at /openapi.json of the admin API."),
  ADMIN_METHOD_WRONG: row("The admin API's address does not take that method", 405, 2, "Look at /openapi.json of the admin API."),
  ADMIN_BODY_TOO_LARGE: row("A request to the admin API is too large", 413, 2, "Requests may have 5 MiB; farm.yaml may have 4 MiB."),
  ADMIN_INPUT_INVALID: row("A request to the admin API is not as its schema says", 400, 2, "Look at /openapi.json of the admin API."),
  ADMIN_ANSWER_UNUSABLE: row(
    "The admin API's answer cannot be read",
    502,
    2,
    "Run the same certfarm version for the command and for the farm.",
  ),
  ADMIN_LISTEN_FAILED: row("The admin API cannot listen on its port", 500, 2, "Free the port, or give another with --admin-port PORT."),
  ADMIN_FILES_UNUSABLE: row(
    "The admin API's token file cannot be made or read",
    500,
    2,
    "Make the named folder writable for your account, or remove the damaged file: it is made anew.",
  ),
  FARM_NOT_STARTED: passing(
    "A process of the farm does not start",
    500,
    2,
    "End what uses the port (a farm that runs already?), or give other ports with --port BASE; a log file that is named says more.",
  ),
  USAGE: row("A command was called with arguments that it does not have", 400, 2, "Run `certfarm --help` or `certfarm COMMAND --help`."),
  INPUT_FILE_UNUSABLE: row("A file that a command was given cannot be read", 400, 2, "Check the path, its permissions and what is in it."),
  OUTPUT_FILE_UNWRITABLE: row(
    "A file that a command was asked for cannot be written",
    400,
    2,
    "Check the folder, its room and its permissions.",
  ),
  OUTPUT_FILE_EXISTS: row(
    "A file that a command would write is there already",
    409,
    3,
    "Look at it and remove it, or name another folder.",
  ),
  REPAIR_NOT_AGREED: row("A repair was not agreed to", 409, 4, "Look at `certfarm repair --dry-run`; agree on a terminal, or with --yes."),
  BALANCER_NOT_CONFIGURED: row(
    "The shared configuration has no balancer",
    409,
    2,
    "Add `balancer:` to farm.yaml and run `certfarm config apply`.",
  ),
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
