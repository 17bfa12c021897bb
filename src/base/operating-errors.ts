import { passing, row, type ErrorRow } from "./error-row.ts";
import { STORE_ERRORS } from "./store-errors.ts";

/** What can go wrong where a farm is operated: evidence, use cases, the admin API and the command line. */
export const OPERATING_ERRORS = {
  ...STORE_ERRORS,
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
  // export
  EXPORT_NOT_POSSIBLE: row(
    "A balancer of another make cannot be configured for this farm",
    409,
    2,
    "Change farm.yaml as the message says, or export for another product; docs/balancers.md says what each can do.",
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
