import { passing, row, type ErrorRow } from "./error-row.ts";

/** What can go wrong in the rooms that serve, and below them. */
export const SERVING_ERRORS = {
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
    "Check that the share is mounted and readable, or that etcd's members run and have a majority (`etcdctl endpoint health`).",
  ),
  STORE_URL_INVALID: row(
    "A store's address is not valid",
    400,
    2,
    "Write etcds://USER@HOST:2379,HOST:2379/PREFIX; docs/store.md shows it.",
  ),
  STORE_FILE_UNUSABLE: row(
    "A file that the store is entered with cannot be used",
    500,
    2,
    "Check the path given by --store-password-file, --store-ca, --store-cert or --store-key, and that certfarm's user may read it.",
  ),
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
  CONTENT_UNPUBLISHABLE: row(
    "A folder cannot be published as web content",
    422,
    2,
    "Mend what is named; nothing was published. docs/content.md says which names can be served.",
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
  DRILL_NOT_POSSIBLE: row(
    "A drill cannot be done here",
    409,
    2,
    "Choose another host or node: `certfarm drill start NAME --host H --node N`.",
  ),
  DRILL_UNKNOWN: row("There is no drill of that name", 404, 2, "Look at `certfarm drill list`."),

  // balancer
  BALANCER_LISTEN_FAILED: row(
    "The balancer cannot listen on a port",
    500,
    2,
    "Free the port or give the balancer other ports in farm.yaml; ports below 1024 need the right to bind them.",
  ),
} as const satisfies Record<string, ErrorRow>;
