import { passing, row, type ErrorRow } from "./error-row.ts";

/** What can go wrong with the farm's secrets: its keys, what is sealed under them, and the certificates that are put there. */
export const SECRETS_ERRORS = {
  SECRETS_KEY_NEEDED: row(
    "A secret of the farm is sealed, or has to be, and this process has no farm key",
    409,
    2,
    "Make one with `certfarm secrets new-key FILE` unless the farm has one, and name it to every process: `--farm-key-file FILE` or CERTFARM_FARM_KEY_FILE (docs/secrets.md).",
  ),
  SECRETS_KEY_INVALID: row(
    "A farm key cannot be used",
    400,
    2,
    "A farm key is 32 random octets, raw or in base64, in a file that only its user can read (`chmod 600`); `certfarm secrets new-key FILE` makes one.",
  ),
  SECRETS_KEY_COMMAND_FAILED: passing(
    "The command that gives the farm key failed",
    503,
    2,
    "Run the command by hand as the same user: it has to print the key, and nothing else, within 10 seconds.",
  ),
  SECRETS_KEY_WRONG: row(
    "The farm key of this process is not one of the farm's",
    409,
    2,
    "Give the farm key whose id the message names; `certfarm secrets status` on another machine shows which keys the farm has.",
  ),
  SECRETS_KEY_EXISTS: row(
    "A new farm key would overwrite a file",
    409,
    4,
    "Name a file that does not exist: a farm key that is lost cannot be had back.",
  ),
  SECRETS_KEY_IN_USE: row(
    "The former farm key is still the only one that some nodes have",
    409,
    4,
    "Give the named nodes the new farm key; `certfarm secrets status` shows when they have it. Nodes that are gone for good: `--force`.",
  ),
  SECRETS_KEYRING_DAMAGED: row(
    "The farm's keyring is not what a holder of the farm key wrote",
    500,
    2,
    "Restore the key `secrets/keyring` from the store's backup, and find out who else can write to the store.",
  ),
  SECRETS_KEYRING_LOST: row(
    "The store has sealed values and no keyring",
    409,
    2,
    "Restore the key `secrets/keyring` from the store's backup: without it nothing that is sealed can be opened.",
  ),
  SECRETS_NEWER: row("A secret was sealed by a newer certfarm", 409, 2, "Run the same or a newer version of certfarm on this machine."),
  SECRETS_TAMPERED: row(
    "A sealed value was changed, cut or put under another name",
    500,
    2,
    "Put it in again (`certfarm certs add FILE`) or restore it from the store's backup, and find out who else can write to the store.",
  ),
  SECRETS_GENERATION_UNKNOWN: row(
    "A value is sealed under a data key that the farm no longer has",
    409,
    2,
    "It was put back from before a rotation: put it in again (`certfarm certs add FILE`), or restore the whole store.",
  ),
  SECRETS_PLAIN_REFUSED: row(
    "A secret is in the store in the clear, where only sealed ones are taken",
    409,
    4,
    "Put certificates in with `certfarm certs add FILE`; `certfarm secrets rotate` removes other plain secrets. Find out who wrote it.",
  ),
  SECRETS_ROTATION_UNDER_WAY: passing(
    "Another rotation of the farm's keys is not finished",
    409,
    3,
    "`certfarm secrets status` shows which; finish it, or wait for it: one that crashed lets go within a minute.",
  ),
  SECRETS_WOULD_TRAVEL: row(
    "A secret would cross a network in the clear",
    400,
    4,
    "Call the admin API by https://, or run the command on the admin API's own machine.",
  ),
  SECRETS_PASSWORD_UNKNOWN: row("The store has no password of that id", 404, 2, "Look at `certfarm secrets password list`."),
  CERTIFICATES_FILE_REFUSED: row(
    "A certificate file cannot be served, so it was not added",
    422,
    4,
    "Do what the message says of the file; `certfarm certs check FILE` shows all of it.",
  ),
  CERTIFICATES_NAME_REFUSED: row(
    "A certificate cannot be filed under that host name",
    422,
    4,
    "Give `--host NAME` with a name or wildcard that the certificate covers.",
  ),
  CERTIFICATES_FILE_ABSENT: row(
    "The central certificates have no such file",
    404,
    2,
    "Look at `certfarm certs list` for the files there are.",
  ),
} as const satisfies Record<string, ErrorRow>;
