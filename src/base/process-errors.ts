import { passing, row, type ErrorRow } from "./error-row.ts";

/** What can go wrong with a process's account, ports and files. */
export const PROCESS_ERRORS = {
  ACCOUNT_UNKNOWN: row(
    "An account or group that a process should run as does not exist",
    400,
    2,
    "Make it, or name another with --user NAME[:GROUP].",
  ),
  ACCOUNT_NOT_TAKEN: row(
    "A process cannot become the account it should run as",
    500,
    4,
    "Start it as root with --user, or as that account without it; ports below 1024 then need CAP_NET_BIND_SERVICE.",
  ),
  DATA_FOLDER_FOREIGN: row(
    "A process's data folder belongs to somebody else",
    500,
    4,
    "Give the folder to the account that the process runs as (chown -R), or name another with --data.",
  ),
  SECRET_FILE_EXPOSED: row(
    "A file with a secret can be read or changed by others",
    500,
    4,
    "Run `chmod 600 FILE` as its owner; if others had access, replace what is in it.",
  ),
  PORT_DENIED: passing(
    "A process may not listen on a port below 1024",
    503,
    4,
    "Restart it when it was started as root with --user: it binds such ports before it gives root up. Else give it CAP_NET_BIND_SERVICE (AmbientCapabilities in its unit).",
  ),
} as const satisfies Record<string, ErrorRow>;
